package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// slowSite is an upstream of a server under test, whose answers wait until they
// may leave.
type slowSite struct {
	address string
	asked   chan string   // path of each request
	answer  chan struct{} // closed: they may leave
}

func newSlowSite(t *testing.T) slowSite {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := slowSite{listener.Addr().String(), make(chan string, 100), make(chan struct{})}
	upstream := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		u.asked <- r.Method + " " + r.URL.Path
		select {
		case <-u.answer:
			fmt.Fprint(w, "PAGE ", r.URL.Path)
		case <-r.Context().Done():
		}
	})}
	go func() { _ = upstream.Serve(listener) }()
	t.Cleanup(func() { upstream.Close() })
	return u
}

// newGracefulServer sells the slow site's articles at ten cents.
func newGracefulServer(t *testing.T, u slowSite, grace string) *server {
	t.Helper()
	return newServer(t, func(port, admin string) string {
		return fmt.Sprintf(`{
	admin %s
	persist_config off
	grace_period %s
	log {
		level ERROR
	}
}
http://localhost:%s {
	bind 127.0.0.1
	paywall /articles/* 0.10
	handle /articles/* {
		reverse_proxy %s
	}
	respond "PAGE {path}"
}
`, admin, grace, port, u.address)
	})
}

// inFlight is requests that were under way when the server was told to end.
type inFlight struct {
	answers sync.WaitGroup
	charged map[string]bool // pages whose answers came and told of a charge
	broken  map[string]bool // pages whose answers did not come
}

// underWay sends requests for pages that the slow site does not answer yet.
func (p *spender) underWay(u slowSite, methods map[string]string) *inFlight {
	p.Helper()
	f := &inFlight{charged: make(map[string]bool), broken: make(map[string]bool)}
	var mu sync.Mutex
	for path, method := range methods {
		f.answers.Go(func() {
			status, header, body, err := p.send(method, path, nil)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				f.broken[path] = true
			case status == http.StatusOK && header.Get("Paywall-Charged") == "0.10 USD" && string(body) == "PAGE "+path:
				f.charged[path] = true
			default:
				p.Errorf("%s %s, under way at the end, is answered %d %v\n%.300s", method, path, status, header, body)
			}
		})
	}
	for range methods {
		<-u.asked
	}
	return f
}

// terminate tells the server to end as a service manager does.
func (s *server) terminate() {
	s.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		s.Fatal(err)
	}
}

// wantsExit waits until the server has ended by itself, with success.
func (s *server) wantsExit() {
	s.Helper()
	select {
	case <-s.exited:
	case <-time.After(startTimeout):
		s.Fatal("the server does not end")
	}
	if !s.process.ProcessState.Success() {
		s.Errorf("the server ends with %v", s.process.ProcessState)
	}
	s.process = nil
}

// wantsClosed waits until nobody can come in any more.
func (s *server) wantsClosed() {
	s.Helper()
	address := "127.0.0.1" + strings.TrimPrefix(s.url, "http://localhost")
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			s.Fatal("the server that is told to end still listens")
		}
	}
}

var requestsUnderWay = map[string]string{
	"/articles/1": http.MethodGet, "/articles/2": http.MethodGet, "/articles/3": http.MethodGet,
	"/articles/4": http.MethodPost, "/articles/5": http.MethodPost,
}

// newRichSpender is a spender with two units in its wallet.
func newRichSpender(s *server) *spender {
	s.Helper()
	p := newSpender(s)
	if err := p.try(attempt{path: redeemPath, id: s.newID(), what: s.vouchers("2.00", 1)[0]}); err != nil {
		s.Fatal(err)
	}
	return p
}

// A server that is told to end answers what is under way, charges for it, and
// has it in its books when it comes back (invariants 4 and 5).
func TestAServerThatEndsSettlesWhatIsUnderWay(t *testing.T) {
	u := newSlowSite(t)
	site := newGracefulServer(t, u, "30s")
	site.start()
	p := newRichSpender(site)
	f := p.underWay(u, requestsUnderWay)
	site.terminate()
	site.wantsClosed()
	close(u.answer)
	f.answers.Wait()
	site.wantsExit()
	if len(f.charged) != len(requestsUnderWay) {
		t.Errorf("of %d requests under way these were answered and charged: %v", len(requestsUnderWay), f.charged)
	}
	site.start()
	site.verify()
	p.wantsCharges(f.charged)
	p.readAll(f.charged)
}

// After the grace period a request under way ends without an answer, and costs
// nothing: what was set aside for it comes back, at the latest by itself.
func TestAServerThatEndsWithoutGraceChargesForNothing(t *testing.T) {
	u := newSlowSite(t)
	site := newGracefulServer(t, u, "300ms")
	site.start()
	p := newRichSpender(site)
	f := p.underWay(u, requestsUnderWay)
	site.terminate()
	f.answers.Wait()
	site.wantsExit()
	if len(f.charged) > 0 || len(f.broken) != len(requestsUnderWay) {
		t.Errorf("charged %v, broken %v", f.charged, f.broken)
	}
	close(u.answer)
	site.start()
	site.verify()
	p.wantsCharges(nil)
}

// wantsCharges wants one charge or capture for each page and none else, and the
// rest of the two units in the wallet or set aside for a while.
func (p *spender) wantsCharges(pages map[string]bool) {
	p.Helper()
	left := 2 * 1_000_000
	paid := make(map[string]int)
	for _, e := range p.history().Entries {
		switch e.Kind {
		case "charge", "capture":
			paid[e.Path]++
			left -= 100_000
		}
	}
	for path := range pages {
		if paid[path] != 1 {
			p.Errorf("invariant 3: %s has %d charges in the books", path, paid[path])
		}
	}
	if len(paid) != len(pages) {
		p.Errorf("invariant 4: the books have %v, and %v were answered", paid, pages)
	}
	found := p.verify()
	if site := p.amount(found.Site); int(site) != 2_000_000-left {
		p.Errorf("the site has earned %s for %d pages", site, len(paid))
	}
}

// readAll reads pages that are paid for: they cost nothing more.
func (p *spender) readAll(pages map[string]bool) {
	p.Helper()
	for path := range pages {
		status, header, body, err := p.send(http.MethodGet, path, nil)
		if err != nil || status != http.StatusOK || header.Get("Paywall-Charged") != "" || string(body) != "PAGE "+path {
			p.Errorf("invariant 4: %s again: %d %v %v\n%.300s", path, status, err, header, body)
		}
	}
}
