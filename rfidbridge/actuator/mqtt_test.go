package actuator

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/mqtt"
)

// rules are those of a broker that lets one user do some things, and tells what it is sent.
type rules struct {
	mochi.HookBase
	published chan packets.Packet
	stop      func() // ends the broker, once
}

func (*rules) ID() string { return "rules" }

func (*rules) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck || b == mochi.OnPublished
}

func (*rules) OnConnectAuthenticate(_ *mochi.Client, p packets.Packet) bool {
	return string(p.Connect.Username) == "kiosk" && string(p.Connect.Password) == "right"
}

func (*rules) OnACLCheck(_ *mochi.Client, topic string, _ bool) bool {
	return strings.HasPrefix(topic, "gate/")
}

func (r *rules) OnPublished(client *mochi.Client, p packets.Packet) {
	if !client.Net.Inline {
		r.published <- p
	}
}

// broker is a real one (mochi-mqtt), for this test alone.
func broker(t *testing.T, address string, config *tls.Config) (*mochi.Server, *rules, mqtt.Broker) {
	t.Helper()
	server := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	r := &rules{published: make(chan packets.Packet, 10)}
	listener := listeners.NewTCP(listeners.Config{ID: "test", Address: address, TLSConfig: config})
	for _, err := range []error{server.AddHook(r, nil), server.AddListener(listener), server.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.stop = sync.OnceFunc(func() { server.Close() })
	t.Cleanup(r.stop)
	return server, r, mqtt.Broker{Address: listener.Address(), User: "kiosk", Password: "right"}
}

// within opens in the time that a kiosk would give.
func within(t *testing.T, m *MQTT, d time.Duration) (Outcome, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return m.Open(ctx, opening)
}

const longEnough = 2 * time.Second

func TestWhoListensToABrokerIsToldToOpen(t *testing.T) {
	_, r, b := broker(t, "127.0.0.1:0", nil)
	if got, err := within(t, &MQTT{Broker: b, Topic: "gate/open"}, longEnough); got != Done || err != nil {
		t.Fatalf("it is %v, %v", got, err)
	}
	p := <-r.published
	var got Opening
	if err := json.Unmarshal(p.Payload, &got); err != nil || got != opening || p.TopicName != "gate/open" {
		t.Errorf("%s is told %s, %v", p.TopicName, p.Payload, err)
	}
	// A retained one would open at each reconnect of the gate, one that does not expire when it is back.
	if p.FixedHeader.Retain || p.FixedHeader.Qos != 1 || p.Properties.MessageExpiryInterval != 2 {
		t.Errorf("retained %v, quality %d, expires after %d s", p.FixedHeader.Retain, p.FixedHeader.Qos, p.Properties.MessageExpiryInterval)
	}
}

func TestAReplySaysWhetherItWasOpened(t *testing.T) {
	server, _, b := broker(t, "127.0.0.1:0", nil)
	replies := make(chan []string, 1)
	listen := func(_ *mochi.Client, _ packets.Subscription, p packets.Packet) {
		for _, reply := range <-replies {
			if err := server.Publish("gate/reply", []byte(strings.ReplaceAll(reply, "TAP", opening.Tap.String())), false, 0); err != nil {
				t.Error(err)
			}
		}
	}
	if err := server.Subscribe("gate/open", 1, listen); err != nil {
		t.Fatal(err)
	}
	m := &MQTT{Broker: b, Topic: "gate/open", Reply: "gate/reply"}
	other := strings.Replace(opening.Tap.String(), "01", "02", 1)
	if other == opening.Tap.String() {
		t.Fatal("the other tap is the same")
	}
	// What somebody has left there is no reply.
	if err := server.Publish("gate/reply", fmt.Appendf(nil, `{"tap":%q,"outcome":"refused"}`, opening.Tap), true, 0); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		replies []string
		want    Outcome
		within  time.Duration
	}{
		"done":             {[]string{`{"tap":"TAP","outcome":"done"}`}, Done, longEnough},
		"refused":          {[]string{`{"tap":"TAP","outcome":"refused"}`}, Refused, longEnough},
		"neither":          {[]string{`{"tap":"TAP","outcome":"jammed"}`}, Unknown, longEnough},
		"others before":    {[]string{`hello`, `{"tap":"` + other + `","outcome":"refused"}`, `{"tap":"TAP","outcome":"done"}`}, Done, longEnough},
		"nothing":          {nil, Unknown, 100 * time.Millisecond},
		"of another tap":   {[]string{`{"tap":"` + other + `","outcome":"done"}`}, Unknown, 100 * time.Millisecond},
		"too long to read": {[]string{`{"tap":"TAP","outcome":"done","more":"` + strings.Repeat("x", 1<<13) + `"}`}, Unknown, 100 * time.Millisecond},
	} {
		replies <- c.replies
		if got, err := within(t, m, c.within); got != c.want || (err == nil) != (got == Done) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
}

func TestABrokerThatDoesNotTakeItRefuses(t *testing.T) {
	_, r, b := broker(t, "127.0.0.1:0", nil)
	stranger := b
	stranger.Password = "hunter2"
	for name, m := range map[string]*MQTT{
		"wrong password":       {Broker: stranger, Topic: "gate/open"},
		"another topic":        {Broker: b, Topic: "door/open"},
		"another reply":        {Broker: b, Topic: "gate/open", Reply: "door/reply"},
		"a topic that is none": {Broker: b, Topic: "gate/open", Reply: "gate/#/x"},
	} {
		if got, err := within(t, m, longEnough); got != Refused || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	r.stop()
	if got, err := within(t, &MQTT{Broker: b, Topic: "gate/open"}, longEnough); got != Refused || err == nil {
		t.Errorf("nobody there: %v, %v", got, err)
	}
	if len(r.published) > 0 {
		t.Error("something was told all the same")
	}
}

// The accident: the network is cut when somebody has paid, and back when they have gone. No
// gate opens then for whoever stands there.
func TestNothingIsOpenedLater(t *testing.T) {
	_, before, b := broker(t, "127.0.0.1:0", nil)
	m := &MQTT{Broker: b, Topic: "gate/open"}
	before.stop()
	if got, _ := within(t, m, longEnough); got != Refused {
		t.Fatalf("without a broker it is %v", got)
	}
	_, r, _ := broker(t, b.Address, nil)
	time.Sleep(100 * time.Millisecond)
	if got, err := within(t, m, longEnough); got != Done || err != nil {
		t.Fatalf("with a broker again it is %v, %v", got, err)
	}
	<-r.published
	time.Sleep(50 * time.Millisecond)
	if len(r.published) > 0 {
		t.Error("what was refused is opened later")
	}
}

// answering is a broker that welcomes, and then sends one answer to what is published.
func answering(t *testing.T, answer []byte) mqtt.Broker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for _, part := range [][]byte{{0x20, 3, 0, 0, 0}, answer} {
			if _, err := in.Peek(1); err != nil {
				return
			}
			in.Discard(in.Buffered()) // each packet comes whole
			if part == nil {
				return
			}
			conn.Write(part)
		}
		io.Copy(io.Discard, in)
	}()
	return mqtt.Broker{Address: listener.Addr().String()}
}

func TestWithoutTheBrokersWordNobodyKnows(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		want   Outcome
	}{
		"taken":               {[]byte{0x40, 2, 0, 1}, Done},
		"nobody listens":      {[]byte{0x40, 3, 0, 1, 0x10}, Refused},
		"not allowed":         {[]byte{0x40, 4, 0, 1, 0x87, 0}, Refused},
		"of another message":  {[]byte{0x40, 2, 0, 9}, Unknown},
		"it hangs up":         {[]byte{0xE0, 1, 0x8B}, Unknown},
		"it says nothing":     {[]byte{}, Unknown},
		"the line is cut":     {nil, Unknown},
		"what is no protocol": {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), Unknown},
	} {
		m := &MQTT{Broker: answering(t, c.answer), Topic: "gate/open"}
		if got, err := within(t, m, 200*time.Millisecond); got != c.want || (err == nil) != (got == Done) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
}

func TestABrokerIsKnownByItsCertificate(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	web.Close()
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	_, _, b := broker(t, "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
	for name, c := range map[string]struct {
		trusted *x509.CertPool
		want    Outcome
	}{
		"known":   {pool, Done},
		"unknown": {x509.NewCertPool(), Refused},
	} {
		b.TLS = &tls.Config{RootCAs: c.trusted, ServerName: "example.com"}
		if got, err := within(t, &MQTT{Broker: b, Topic: "gate/open"}, longEnough); got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
