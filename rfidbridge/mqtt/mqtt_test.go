package mqtt

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scripted is a broker that answers each packet with the next bytes of a script, given in
// hex; what it was sent comes out of the channel.
func scripted(t *testing.T, script ...string) (address string, sent <-chan packet, after <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	packets, ended := make(chan packet, 10), make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for _, answer := range append(script, "", "", "") {
			p, err := readPacket(in)
			if err != nil {
				ended <- err
				return
			}
			packets <- p
			if answer == "bye" {
				return
			}
			text, _ := hex.DecodeString(answer)
			if _, err := conn.Write(text); err != nil {
				ended <- err
				return
			}
		}
	}()
	return listener.Addr().String(), packets, ended
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

const welcome = "2003000000" // nothing known of the client, success, no properties

// What is sent, byte for byte as the standard has it (OASIS MQTT 5, 3.1, 3.3 and 3.8).
func TestPacketsAreAsTheStandardHasThem(t *testing.T) {
	address, sent, ended := scripted(t, welcome, "900400010000", "40020002")
	c, err := Connect(soon(t), Broker{Address: address, ClientID: "lobby", User: "u", Password: "pw"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Subscribe("r/1"); err != nil {
		t.Fatal(err)
	}
	number, err := c.Publish("t/1", []byte("open"), 1500*time.Millisecond)
	if err != nil || number != 2 {
		t.Fatal(number, err)
	}
	if e, err := c.Receive(); err != nil || e.Answers != 2 || e.Reason != 0 || e.Message != nil {
		t.Errorf("it is answered %+v, %v", e, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"10 00044d515454" + "05" + "c2" + "005a" + "0527" + "00001000" + "0005" + "6c6f626279" + "000175" + "00027077",
		"82 0001" + "00" + "0003722f31" + "20",
		"32 0003742f31" + "0002" + "0502" + "00000002" + "6f70656e",
		"e0 ",
	} {
		p := <-sent
		if got := hex.EncodeToString([]byte{p.first}) + " " + hex.EncodeToString(p.body); got != want {
			t.Errorf("it sends %s, want %s", got, want)
		}
	}
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestABrokerSaysWhyItRefuses(t *testing.T) {
	for answer, want := range map[string]string{
		"2003008600": "password",
		"2003008700": "not allowed",
		"20020001":   "older version", // of 3.1.1
		"2003008400": "no MQTT 5",
		"200300ff00": "0xff",
		"40020001":   "no packet", // something else
		"20ffffff7f": "longer than",
		"20ffffffff": "longer than",
		"20808080":   "EOF", // half a packet
		"2000":       "no packet",
		"bye":        "EOF",
	} {
		address, _, _ := scripted(t, answer, "bye")
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		c, err := Connect(ctx, Broker{Address: address, User: "u", Password: "hunter2"})
		cancel()
		if err == nil {
			c.Abort()
		}
		if strings.HasPrefix(answer, "208080") { // it says no more
			want = "closed"
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", answer, err, want)
		}
	}
	for answer, want := range map[string]string{
		"900400010087": "not allowed",
		"900400020000": "no packet", // of another subscription
		"e00189":       "0x89",
		"bye":          "EOF",
		"d000":         "no packet",
	} {
		address, _, _ := scripted(t, welcome, answer)
		c, err := Connect(soon(t), Broker{Address: address})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Subscribe("r"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("to a subscription %s: %v, want %q", answer, err, want)
		}
		c.Abort()
	}
}

// What was sent and has not arrived when a connection is aborted is thrown away: the far end
// sees a reset, and no orderly end that may come minutes later with what was sent before it.
func TestAnAbortedConnectionDeliversNothingMore(t *testing.T) {
	address, sent, ended := scripted(t, welcome)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := Connect(ctx, Broker{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Publish("t", nil, time.Second); err != nil {
		t.Fatal(err)
	}
	<-sent
	<-sent
	cancel()
	if _, err := c.Receive(); err == nil {
		t.Error("it is answered")
	}
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the broker sees %v", err)
	}
	c.Abort()
}

// Whatever a broker sends, reading it ends, without a panic and within the limit.
func FuzzReadPacket(f *testing.F) {
	for _, text := range []string{welcome, "900400010000", "40020002", "4003000210", "320c0003742f310002000000006f70", "e00189", "30ffffff7f", ""} {
		seed, _ := hex.DecodeString(text)
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		p, err := readPacket(bufio.NewReader(bytes.NewReader(sent)))
		if err != nil {
			return
		}
		if len(p.body) > mostPacket || len(p.body) >= len(sent) {
			t.Fatalf("a packet of %d bytes out of %d", len(p.body), len(sent))
		}
		if m, err := parseMessage(p); err == nil && len(m.Topic)+len(m.Payload) > len(p.body) {
			t.Errorf("a message longer than its packet: %+v", m)
		}
		_, _, _ = parseAnswer(p)
	})
}
