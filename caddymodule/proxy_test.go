package caddymodule

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// startProxy is a site whose priced pages come from an upstream server.
func startProxy(t *testing.T, serve http.HandlerFunc) *site {
	t.Helper()
	backend := httptest.NewServer(serve)
	t.Cleanup(backend.Close)
	return startSite(t, "paywall /articles/* 0.10\nreverse_proxy "+backend.Listener.Addr().String()+" {\nflush_interval -1\n}")
}

func TestTheUpstreamSeesNoTokenNoCookieAndNoForgedHeader(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Clone()
		_, _ = io.WriteString(w, secretBody)
	})
	m := s.machine("1.00")
	token := strings.TrimPrefix(m.header.Get("Authorization"), "Bearer ")
	m.with("Cookie", "a=1; paywall="+token+"; paywall-notice=redeemed; b=2").with("Paywall-Charged", "9.99 USD").
		get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	h := <-seen
	if got := h.Get("Cookie"); got != "a=1; b=2" {
		t.Errorf("the upstream sees the cookies %q", got)
	}
	for name, values := range h {
		if name == "Authorization" || name == "Paywall-Charged" || strings.Contains(strings.Join(values, " "), token) {
			t.Errorf("the upstream sees %s: %q", name, values)
		}
	}

	reader := s.stranger().with("Cookie", "paywall="+token).with("Authorization", "Basic dTpw")
	reader.get("/articles/1").wants(http.StatusOK)
	if h := <-seen; h.Get("Authorization") != "Basic dTpw" || h.Get("Cookie") != "" {
		t.Errorf("the upstream of a reader sees %v", h)
	}
	m.wantsBalance("0.90")
}

func TestWhatTheUpstreamDoesNotDeliverIsNotCharged(t *testing.T) {
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/articles/%d", &status); err != nil {
			t.Error(err)
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	})
	m := s.machine("1.00")
	for _, status := range []int{204, 205, 301, 302, 304, 400, 401, 404, 410, 451, 500, 502, 503} {
		m.get(fmt.Sprint("/articles/", status)).wants(status).wantsHeader("Paywall-Charged", "")
		m.do(http.MethodPost, fmt.Sprint("/articles/", status), "", "").wants(status).wantsHeader("Paywall-Charged", "")
	}
	m.wantsBalance("1.00")
	for _, status := range []int{200, 201, 203, 206} {
		m.get(fmt.Sprint("/articles/", status)).wants(status).wantsHeader("Paywall-Charged", "0.10 USD").
			wantsHeader("Cache-Control", "private")
	}
	m.wantsBalance("0.60")
}

func TestAnUpstreamThatIsDownCostsNothing(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10\nreverse_proxy "+freeAddress(t))
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusBadGateway)
	m.do(http.MethodPost, "/articles/1", "", "").wants(http.StatusBadGateway)
	m.wantsBalance("1.00")
}

// Before its header an upstream that aborts has delivered nothing; after it,
// not what was paid for: the money goes back, and the grant ends.
func TestAnUpstreamThatAborts(t *testing.T) {
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/articles/2" {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, secretBody)
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	})
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusBadGateway)
	m.wantsBalance("1.00")
	for range 2 {
		if raw := m.raw("GET", "/articles/2"); !strings.Contains(raw, "Paywall-Charged") || !strings.HasSuffix(raw, secretBody) {
			t.Errorf("the client gets\n%s", raw)
		}
		eventually(t, "the money is back", func() bool { return m.balance() == "1.00" })
	}
	var listed struct{ Entries []struct{ Kind, Amount string } }
	s.decode([]byte(m.get("/.paywall/wallet/entries").wants(http.StatusOK).body), &listed)
	if n := len(listed.Entries); n != 6 || listed.Entries[0].Kind != "refund" || listed.Entries[1].Kind != "charge" {
		t.Errorf("the wallet shows %+v, want two charges, each refunded, after a voucher and a creation", listed.Entries)
	}
}

// A stream of events has no end to miss: its upstream may close it as it likes.
func TestAStreamThatItsUpstreamBreaksOffStaysPaid(t *testing.T) {
	s := startProxy(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, "data: "+secretBody+"\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	m := s.machine("1.00")
	if raw := m.raw("GET", "/articles/2"); !strings.Contains(raw, secretBody) {
		t.Errorf("the client gets\n%s", raw)
	}
	m.wantsBalance("0.90")
}

func TestAClientThatLeavesBeforeTheHeaderDoesNotPay(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			working, gone := make(chan struct{}), make(chan struct{})
			s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
				close(working)
				<-r.Context().Done()
				close(gone)
			})
			m := s.machine("1.00")
			ctx, leave := context.WithCancel(context.Background())
			go func() {
				<-working
				leave()
			}()
			r, err := http.NewRequestWithContext(ctx, method, s.url+"/articles/1", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = m.header.Clone()
			if resp, err := m.client.Do(r); !errors.Is(err, context.Canceled) {
				t.Fatalf("%v, %v", resp, err)
			}
			<-gone
			eventually(t, "nothing is held", func() bool { return m.balance() == "1.00" })
			m.wantsBalance("1.00")
		})
	}
}

// A socket is paid for when it opens, not when it closes.
func TestAWebSocketIsChargedAtItsUpgrade(t *testing.T) {
	s := startProxy(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString("echo " + line)
		_ = rw.Flush()
	})
	m := s.machine("0.10")
	conn, lines := m.upgrade("/articles/1")
	if status, err := lines.ReadString('\n'); err != nil || !strings.Contains(status, "101") {
		t.Fatalf("%q, %v", status, err)
	}
	header, charged := "", false
	for header != "\r\n" {
		var err error
		if header, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		charged = charged || strings.HasPrefix(header, "Paywall-Charged: 0.10 USD")
	}
	if !charged {
		t.Error("the upgrade does not say what was charged")
	}
	m.wantsBalance("0.00") // while the socket is open
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if echo, err := lines.ReadString('\n'); err != nil || echo != "echo hello\n" {
		t.Errorf("%q, %v", echo, err)
	}

	_, refused := m.upgrade("/articles/2")
	if status, err := refused.ReadString('\n'); err != nil || !strings.Contains(status, "402") {
		t.Errorf("without money: %q, %v", status, err)
	}
}

// upgrade asks for a web socket.
func (v *visitor) upgrade(path string) (io.Writer, *bufio.Reader) {
	v.Helper()
	conn := dial(v.T, strings.TrimPrefix(v.url, "http://"))
	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: %s\r\n\r\n",
		path, strings.TrimPrefix(v.url, "http://"), v.header.Get("Authorization"))
	if err != nil {
		v.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func TestAStreamOfEventsIsChargedAtItsHeaderAndNotHeldBack(t *testing.T) {
	goOn := make(chan struct{})
	s := startProxy(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		for _, event := range []string{"data: 1\n", "data: 2\n"} {
			<-goOn
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	})
	m := s.machine("1.00")
	r, err := http.NewRequest(http.MethodGet, s.url+"/articles/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = m.header.Clone()
	resp, err := m.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Paywall-Charged") != "0.10 USD" {
		t.Errorf("the header is %v", resp.Header)
	}
	m.wantsBalance("0.90") // while the stream is open
	events := bufio.NewReader(resp.Body)
	for _, want := range []string{"data: 1\n", "data: 2\n"} {
		goOn <- struct{}{}
		if event, err := events.ReadString('\n'); event != want {
			t.Errorf("%q, %v", event, err)
		}
	}
	m.wantsBalance("0.90")
}

// What an upstream says to caches is not what leaves: a shared cache would give
// the page away.
func TestAPaidPageIsNotForSharedCaches(t *testing.T) {
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", r.URL.Query().Get("cache"))
		w.Header().Set("Vary", "Accept-Language, authorization")
		_, _ = io.WriteString(w, secretBody)
	})
	m := s.machine("1.00")
	m.get("/articles/1?cache=public,max-age=60").wantsHeader("Cache-Control", "private").
		wantsHeader("Vary", "Accept-Language, authorization, Cookie")
	m.get("/articles/1?cache=no-store").wantsHeader("Cache-Control", "private, no-store")
	m.wantsBalance("0.90")
}

// Early data could be replayed by whoever has seen it (RFC 8470).
func TestNothingIsPaidForInEarlyData(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	m.with("Early-Data", "1").get("/articles/1").wants(http.StatusTooEarly).saysNot("SECRET")
	m.wantsBalance("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	m.with("Early-Data", "1").get("/articles/1").wants(http.StatusOK)
	m.with("Early-Data", "1").get("/articles/2").wants(http.StatusTooEarly)
	s.stranger().with("Early-Data", "1").get("/articles/1").wants(http.StatusPaymentRequired)
	m.wantsBalance("0.90")
}
