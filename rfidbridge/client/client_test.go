package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// paywall is a server that answers whatever a test wants.
type paywall struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	tokens []string
}

func startPaywall(t *testing.T) *paywall {
	p := &paywall{answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"kiosk":"gate"}`) }}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.tokens = append(p.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *paywall) answers(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *paywall) enrolled(t *testing.T) (*Client, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state", "identity.json")
	id, err := Enrol(t.Context(), p.URL, "CODE", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, path
}

func TestAnIdentityOutlivesTheProcessAndItsNumbersGoOn(t *testing.T) {
	p := startPaywall(t)
	c, path := p.enrolled(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of the key: %v, %v", info.Mode(), err)
	}
	seen := make(map[uint64]bool)
	highest := uint64(0)
	for range 3 {
		for range reserve + 10 {
			n, err := c.id.next()
			if err != nil || seen[n] || n <= highest {
				t.Fatalf("number %d after %d, %v", n, highest, err)
			}
			seen[n], highest = true, n
		}
		id, err := Load(path)
		if err != nil || id.Kiosk != "gate" || !id.key().Equal(c.id.key()) {
			t.Fatalf("it comes back as %v, %v", id, err)
		}
		if c, err = New(id, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, c.id); strings.Contains(text, fmt.Sprint(c.id.key()[:8])) || strings.Contains(text, "seed") {
			t.Errorf("%s prints the key: %s", verb, text)
		}
	}
}

// The attack: a request that was signed for this paywall is led to another server.
func TestARedirectIsNotFollowed(t *testing.T) {
	p, elsewhere := startPaywall(t), startPaywall(t)
	c, _ := p.enrolled(t)
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	var refused RefusalError
	if _, err := c.State(t.Context(), wire.State{}); !errors.As(err, &refused) || refused.Status != http.StatusTemporaryRedirect {
		t.Errorf("a redirect is answered by %v", err)
	}
	if len(elsewhere.tokens) > 0 {
		t.Error("the request went elsewhere")
	}
}

// An answer is certain or it is none (invariant 6).
func TestSilenceIsToldFromARefusal(t *testing.T) {
	p := startPaywall(t)
	c, _ := p.enrolled(t)
	tap := wire.Tap{ID: wallet.OpID{1}}
	for name, one := range map[string]struct {
		answer  http.HandlerFunc
		refused int // zero: nobody knows
	}{
		"unavailable":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 0},
		"too many":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, 0},
		"nonsense":      {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, 0},
		"another tap's": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"tap":%q}`, wallet.OpID{2}) }, 0},
		"without end":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", wire.MaxBody+1)) }, 0},
		"broken off":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0},
		"no kiosk": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"title":"No","detail":"none"}`, http.StatusUnauthorized)
		}, http.StatusUnauthorized},
		"a proxy's refusal": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, http.StatusForbidden},
	} {
		p.answers(one.answer)
		_, err := c.Tap(t.Context(), tap)
		var refused RefusalError
		if errors.As(err, &refused); refused.Status != one.refused || errors.Is(err, ErrUncertain) != (one.refused == 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.Close()
	if _, err := c.Tap(t.Context(), tap); !errors.Is(err, ErrUncertain) {
		t.Errorf("nobody listens: %v", err)
	}
}

// Requests that are made at once arrive in the order of their numbers: else the later one
// would make the earlier one a replay.
func TestRequestsArriveInTheirOrder(t *testing.T) {
	p := startPaywall(t)
	c, _ := p.enrolled(t)
	p.answers(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := c.State(t.Context(), wire.State{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	last := uint64(0)
	for _, token := range p.tokens[1:] {
		r := wire.Request{Kiosk: "gate", Site: c.site.Host, Path: wire.StatePath, Body: []byte(`{"version":"","readers":null,"backlog":0}`)}
		sequence, err := r.Verify(token, c.id.public(), c.now())
		if err != nil || sequence <= last {
			t.Fatalf("number %d after %d, %v", sequence, last, err)
		}
		last = sequence
	}
}

func TestOnlyASiteIsAPaywall(t *testing.T) {
	for _, site := range []string{"", "news.example", "ftp://news.example", "https://", "https://a:b@news.example", "https://news.example/path"} {
		if _, err := parseSite(site); err == nil {
			t.Errorf("%q is taken", site)
		}
	}
	path := filepath.Join(t.TempDir(), "identity.json")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, text := range []string{"", "{}", `{"kiosk":"gate","seed":"AAAA"}`, `{"kiosk":"../x","seed":"` + strings.Repeat("A", 43) + `="}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); !errors.Is(err, errIdentity) {
			t.Errorf("%q is an identity: %v", text, err)
		}
	}
}
