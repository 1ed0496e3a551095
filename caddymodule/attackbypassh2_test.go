package caddymodule

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// pairs are the fields of a request over HTTP/2, in order, pseudo-fields too.
type pairs [][2]string

// sendH2 asks over a connection of its own, as a client would that keeps to no
// rule, and returns the fields and the body of the answer in one.
func sendH2(t *testing.T, address string, fields pairs) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = conn.Write([]byte(http2.ClientPreface)) // what goes wrong is seen when reading
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
	return readH2(framer)
}

// readH2 reads until the answer, or the connection, is over.
func readH2(framer *http2.Framer) []byte {
	var answer bytes.Buffer
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return answer.Bytes()
		}
		ended := false
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range frame.Fields {
				answer.WriteString(field.Name + ": " + field.Value + "\n")
			}
			ended = frame.StreamEnded()
		case *http2.DataFrame:
			answer.Write(frame.Data())
			ended = frame.StreamEnded()
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			ended = true
		}
		if ended {
			return answer.Bytes()
		}
	}
}

// leakedH2 reports whether an answer over HTTP/2 holds something priced.
func leakedH2(answer []byte) bool {
	return bytes.IndexByte(answer, pricedByte) >= 0 || bytes.Contains(answer, []byte(pricedDay))
}

// askH2 is a request over HTTP/2.
func askH2(method, path, authority string, more ...[2]string) pairs {
	return append(pairs{{":method", method}, {":scheme", "http"}, {":authority", authority}, {":path", path}}, more...)
}

// corpusH2 is the corpus as far as HTTP/2 can say it, and what only it can.
func corpusH2() (requests []pairs) {
	const target, host = "/articles/1.html", "{host}"
	for i, priced := range bypassTargets {
		spelled := spellingsOf(priced)
		if i > 0 {
			spelled = spelled[:bypassSpelledShort]
		}
		for _, spelling := range spelled {
			requests = append(requests, askH2("GET", spelling, host))
		}
	}
	for _, method := range bypassMethods {
		requests = append(requests, askH2(method, target, host))
	}
	for _, authority := range bypassHosts {
		requests = append(requests, askH2("GET", target, authority), askH2("GET", target, host, [2]string{"host", authority}))
	}
	for _, lines := range bypassFields {
		fields := askH2("GET", target, host)
		for line := range strings.SplitSeq(lines, "\r\n") {
			name, value, _ := strings.Cut(line, ": ")
			fields = append(fields, [2]string{strings.ToLower(name), value})
		}
		requests = append(requests, fields)
	}
	free := askH2("GET", "/free.html", host)
	return append(requests,
		append(slices.Clone(free), [2]string{":path", target}), append(pairs{{":path", target}}, free...), askH2("GET", target, host)[:3], askH2("GET", target, host)[1:],
		pairs{{":method", "GET"}, {":scheme", "http"}, {":path", target}}, pairs{{":method", "GET"}, {":path", target}, {":authority", host}},
		pairs{{":method", "GET"}, {":scheme", "file"}, {":path", target}, {":authority", host}}, pairs{{":method", "GET"}, {":scheme", "https"}, {":path", target}, {":authority", host}},
		pairs{{":method", "CONNECT"}, {":authority", host}}, pairs{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", target}, {":authority", host}},
		askH2("GET", target, host, [2]string{":path", "/free.html"}), askH2("GET", target, host, [2]string{"Path", "x"}), askH2("GET", "/free.html", host, [2]string{"x", "y\r\n\r\nGET " + target + " HTTP/1.1\r\nhost: a\r\n\r\n"}),
		askH2("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", target, host), askH2("GET", "/free.html HTTP/1.1\r\nHost: a\r\n\r\nGET "+target, host), askH2("GET", target, host, [2]string{"transfer-encoding", "chunked"}),
		askH2("GET", target, host, [2]string{"content-length", "5"}), askH2("GET", target, host, [2]string{"paywall-wallet", "x"}), askH2("GET", target, host, [2]string{"cookie", "paywall="}, [2]string{"cookie", "{receipt}"}),
	)
}

// The attack: the same over HTTP/2, whose requests have other seams.
func TestAttackBypassOverHTTP2(t *testing.T) {
	s := startBypassSites(t, time.Second)
	corpus := corpusH2()
	for way, kind := range bypassWays {
		if !slices.Contains([]string{"file_server", "handle_path", "proxy", "proxy to one that looks at the beginning", "php_fastcgi"}, kind.name) {
			continue
		}
		reached := 0
		for _, fields := range corpus {
			sold, free := make(pairs, len(fields)), make(pairs, len(fields))
			for i, field := range fields {
				value := s.fill[way].Replace(field[1])
				sold[i] = [2]string{field[0], value}
				free[i] = [2]string{field[0], strings.ReplaceAll(value, s.priced[way], s.bare[way])}
			}
			if leakedH2(sendH2(t, s.priced[way], sold)) {
				t.Errorf("%s: something priced leaves by %q", kind.name, sold)
			}
			if leakedH2(sendH2(t, s.bare[way], free)) {
				reached++
			}
		}
		if reached < 100 {
			t.Errorf("%s: only %d of %d requests get something where it is free", kind.name, reached, len(corpus))
		}
	}
}
