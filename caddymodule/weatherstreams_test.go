package caddymodule

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The rows about answers that are more than a header and a body.

// serveEvents sends its header at once, and each event when the client asks.
func serveEvents(f *flight, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	for _, event := range []string{"data: 1\n", "data: 2\n"} {
		f.turn()
		_, _ = io.WriteString(w, event)
		_ = http.NewResponseController(w).Flush()
	}
}

// readEvents is told of the charge before the first event, and gets each event
// before it asks for the next.
func readEvents(f *flight) {
	resp, err := f.begin(f.ctx, http.MethodGet, "/articles/1", nil, "Accept", "text/event-stream")
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Paywall-Charged"); got != "0.10 USD" {
		f.Errorf("before the first event the client is told of %q", got)
	}
	f.wantsAvailable("0.90") // while the stream is open
	events := bufio.NewReader(resp.Body)
	for _, want := range []string{"data: 1\n", "data: 2\n"} {
		f.proceed <- struct{}{}
		if event, err := events.ReadString('\n'); event != want {
			f.Errorf("%q, %v", event, err)
		}
	}
	if rest, err := io.ReadAll(events); err != nil || len(rest) > 0 {
		f.Errorf("at its end the stream has %q, %v", rest, err)
	}
}

func (f *flight) wantsAvailable(want string) {
	f.Helper()
	if held, err := f.ledger.Wallet(f.ctx, f.holder); err != nil || held.Available.String() != want {
		f.Errorf("the wallet has %s (%v), want %s", held.Available, err, want)
	}
}

// serveHints announces a style sheet before it has the page.
func serveHints(f *flight, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Link", "</style.css>; rel=preload; as=style")
	w.WriteHeader(http.StatusEarlyHints)
	f.turn()
	_, _ = io.WriteString(w, secretBody)
}

// readHints gets the hint while nothing is paid for, and then the page.
func readHints(f *flight) {
	ctx := httptrace.WithClientTrace(f.ctx, &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
		if status != http.StatusEarlyHints || !strings.Contains(h.Get("Link"), "style.css") || h.Get("Paywall-Charged") != "" {
			f.Errorf("the hint is %d %v", status, h)
		}
		f.wantsAvailable("1.00")
		close(f.proceed)
		return nil
	}})
	resp, err := f.begin(ctx, http.MethodGet, "/articles/1", nil)
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); string(text) != secretBody || resp.Header.Get("Paywall-Charged") != "0.10 USD" {
		f.Errorf("the client gets %q, %v, %v", text, resp.Header, err)
	}
}

// serveSocket is a web socket's server that says back one line.
func serveSocket(f *flight, w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		f.Errorf("the upstream is asked for %v", r.Header)
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		f.Error(err)
		return
	}
	defer conn.Close()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_ = rw.Flush()
	line, _ := rw.ReadString('\n')
	_, _ = rw.WriteString("echo " + line)
	_ = rw.Flush()
}

// talk says something on an open web socket and hears it back.
func (f *flight) talk(resp *http.Response, to io.Writer) {
	f.Helper()
	if got := resp.Header.Get("Paywall-Charged"); got != "0.10 USD" {
		f.Errorf("the upgrade tells of %q", got)
	}
	f.wantsAvailable("0.90") // while the socket is open
	if _, err := io.WriteString(to, "hello\n"); err != nil {
		f.Fatal(err)
	}
	if echo, err := bufio.NewReader(resp.Body).ReadString('\n'); echo != "echo hello\n" {
		f.Errorf("%q, %v", echo, err)
	}
}

// upgradeByHeader opens a web socket as HTTP/1.1 does (RFC 6455 §4.1).
func upgradeByHeader(f *flight) {
	resp, err := f.begin(f.ctx, http.MethodGet, "/articles/1", nil, "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		f.Fatalf("the upgrade is answered %s", resp.Status)
	}
	f.talk(resp, resp.Body.(io.Writer))
}

// upgradeByConnect opens a web socket by an extended CONNECT (RFC 8441 §5 for
// HTTP/2, RFC 9220 for HTTP/3).
func upgradeByConnect(f *flight) error {
	out, in := io.Pipe()
	defer in.Close()
	r, err := http.NewRequestWithContext(f.ctx, http.MethodConnect, f.url+"/articles/1", out)
	if err != nil {
		f.Fatal(err)
	}
	r.Header = f.header.Clone()
	if f.protocol.name == "HTTP2" {
		r.Header[":protocol"] = []string{"websocket"}
	} else {
		r.Proto = "websocket"
	}
	resp, err := f.client.Transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		f.Fatalf("the upgrade is answered %s", resp.Status)
	}
	f.talk(resp, in)
	return nil
}

// connectSocket is upgradeByConnect where it must work.
func connectSocket(f *flight) {
	if err := upgradeByConnect(f); err != nil {
		f.Fatal(err)
	}
}

// connectSetting, in GODEBUG, switches the extended CONNECT of Go's HTTP/2 server on; it is
// off by default, and read when the process starts.
const connectSetting = "http2xconnect=1"

var weatherOfStreams = []weatherRow{
	{name: "a stream of events is paid for at its header", serve: serveEvents, story: readEvents, ledger: "charge", left: "0.90"},
	{
		name: "a web socket without money is not opened", serve: serveSocket, only: "HTTP1",
		visits: []visit{{
			by: stranger, header: []string{"Connection", "Upgrade", "Upgrade", "websocket"}, status: 402, outcome: "challenged",
		}},
	},
	{name: "103 and then 200", serve: serveHints, story: readHints, ledger: "charge", left: "0.90"},
	{
		name: "a web socket is paid for when it opens", serve: serveSocket, story: upgradeByHeader,
		only: "HTTP1", ledger: "charge", left: "0.90",
	},
	{
		name: "a web socket by CONNECT is paid for when it opens", only: "HTTP3", serve: serveSocket,
		story:  connectSocket,
		ledger: "hold capture", left: "0.90",
	},
}

// Go's server takes a web socket over HTTP/2 only where the environment asks
// for it when the process starts; else a client hears that there is none, and
// takes HTTP/1.1.
func TestAWebSocketOverHTTP2(t *testing.T) {
	row := weatherRow{name: "a web socket by CONNECT", only: "HTTP2", serve: serveSocket}
	if strings.Contains(os.Getenv("GODEBUG"), connectSetting) {
		row.story, row.ledger, row.left = connectSocket, "hold capture", "0.90"
		fly(t, []weatherRow{row})
		return
	}
	row.story = func(f *flight) {
		if err := upgradeByConnect(f); err == nil || !strings.Contains(err.Error(), "extended connect not supported") {
			f.Errorf("a client that asks gets %v", err)
		}
	}
	fly(t, []weatherRow{row})
	other := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	other.Env = append(os.Environ(), "GODEBUG="+connectSetting)
	if out, err := other.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("where it is switched on: %v\n%s", err, out)
	}
}
