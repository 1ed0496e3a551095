package screen

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

var gate = wire.Product{Name: "gate", Title: "The <gate>", Price: "0.10"}

// stage is a screen, its page, and a clock.
type stage struct {
	*testing.T
	*Screen
	server *httptest.Server
	mu     sync.Mutex
	at     time.Time
}

func raise(t *testing.T) *stage {
	s := &stage{T: t, at: time.Unix(1_800_000_000, 0)}
	s.Screen = New("https://news.example", func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.at
	})
	s.server = httptest.NewServer(s.Handler())
	t.Cleanup(s.server.Close)
	return s
}

func (s *stage) after(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func (s *stage) get(path string) (string, http.Header) {
	s.Helper()
	response, err := http.Get(s.server.URL + path) //nolint:noctx // a test's
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.Fatalf("%s: %d, %v", path, response.StatusCode, err)
	}
	return string(body), response.Header
}

func (s *stage) says(path string, all ...string) {
	s.Helper()
	page, _ := s.get(path)
	for _, text := range all {
		if !strings.Contains(page, text) {
			s.Errorf("%s does not say %q:\n%s", path, text, page)
		}
	}
}

func TestTheScreenFollowsATap(t *testing.T) {
	s := raise(t)
	s.says("/", "Tap your card")
	s.Sells(gate, "USD")
	s.says("/", "Tap your card", "The &lt;gate&gt;", "0.10 USD")
	s.Checking()
	s.says("/", "Checking", "Leave the card where it is.")
	s.Ended(tap.Result{Kind: tap.Paid, Product: gate})
	s.says("/", "Paid", "✓", `class="good"`)
	if page, _ := s.get("/"); strings.Contains(page, "wallet") {
		t.Error("it speaks of a balance that it was not told")
	}
	s.Ended(tap.Result{Kind: tap.Paid, Product: gate, Balance: "4.90"})
	s.says("/", "Left in the wallet:", "4.90 USD")
	s.Ended(tap.Result{Kind: tap.Paid, Product: gate, Alone: true})
	s.says("/", "Paid", "it is taken from your wallet later", `class="good"`)
	s.says("/?lang=fr", `<html lang="fr">`, "Payé")
	s.says("/?lang=it", "Pagato")
	s.after(showGood)
	s.says("/", "Tap your card", `class="calm"`)
	s.Ended(tap.Result{Kind: tap.Refused, Reason: wire.NoMoney, Product: gate})
	s.says("/", "Not enough money", "✕", `class="bad"`, "Top up")
	s.Unread()
	s.says("/", "Hold the card still")
}

// An unknown card is claimed by scanning what the screen shows.
func TestTheScreenShowsTheClaimAsACode(t *testing.T) {
	s := raise(t)
	s.Ended(tap.Result{Kind: tap.Unclaimed, Claim: "sealed-_", Product: gate})
	s.says("/", "https://news.example/.paywall/cards?claim=sealed-_", "data:image/png;base64,iVBOR", "Scan this with your phone")
	s.after(showClaim)
	if page, _ := s.get("/"); strings.Contains(page, "sealed") {
		t.Error("a claim that is over is still shown")
	}
	s.Ended(tap.Result{Kind: tap.Unclaimed, Claim: strings.Repeat("x", 5000)})
	s.says("/", "?claim=xxxx") // too long for a code
}

// What a tap has opened on the site is fetched by a form, to the site alone; the code is in
// no address.
func TestTheScreenSendsItsBrowserToTheSite(t *testing.T) {
	s := raise(t)
	s.Offer("lobby.sealed")
	s.says("/?lang=fr", `<form method="post" action="https://news.example/.paywall/session/begin?lang=fr">`, `name="code" value="lobby.sealed"`,
		`name="return" value="`+s.server.URL+`/"`, "<button>Ouvrir la page</button>", "Payé")
	if _, header := s.get("/"); !strings.Contains(header.Get("Content-Security-Policy"), "form-action 'self' https://news.example;") {
		t.Errorf("its policy is %s", header.Get("Content-Security-Policy"))
	}
	s.Offer("")
	if page, _ := s.get("/"); strings.Contains(page, "sealed") || strings.Contains(page, "<form") {
		t.Error("a code that nobody waits for is still shown")
	}
}

// The attack: the name of another site leads to this machine, so that its page can read the
// codes and claims that are shown here.
func TestThePageIsForThisMachineAlone(t *testing.T) {
	s := raise(t)
	for host, want := range map[string]int{
		"evil.example": http.StatusMisdirectedRequest, "evil.example:8404": http.StatusMisdirectedRequest, "127.0.0.1.evil.example": http.StatusMisdirectedRequest,
		"localhost:8404": http.StatusOK, "[::1]:8404": http.StatusOK, "127.0.0.1": http.StatusOK,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, response.StatusCode, want)
		}
	}
}

// The page is told of each change at once, and of the last one where there are many.
func TestThePageIsToldOfChanges(t *testing.T) {
	s := raise(t)
	response, err := http.Get(s.server.URL + "/events") //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewScanner(response.Body)
	next := func() string {
		for events.Scan() {
			if data, found := strings.CutPrefix(events.Text(), "data: "); found {
				return data
			}
		}
		t.Fatal(events.Err())
		return ""
	}
	if first := next(); first != "0" {
		t.Errorf("it begins at %s", first)
	}
	s.Checking()
	if data := next(); data != "1" {
		t.Errorf("it is told of %s", data)
	}
	for range 100 {
		s.Ended(tap.Result{Kind: tap.Paid})
	}
	for next() != "101" {
	}
}

// The attack: a page that opens streams without end.
func TestFewPagesWatchAtOnce(t *testing.T) {
	s := raise(t)
	for range mostWatchers {
		if changes, _ := s.watch(); changes == nil {
			t.Fatal("too few may watch")
		}
	}
	response, err := http.Get(s.server.URL + "/events") //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", response.StatusCode)
	}
}

// The page works without JavaScript, lets nothing in from elsewhere, and is for everybody.
func TestThePageIsSelfContained(t *testing.T) {
	s := raise(t)
	page, header := s.get("/")
	for _, want := range []string{`<noscript><meta http-equiv="refresh"`, `role="status"`, `aria-live="assertive"`, `<html lang="en">`} {
		if !strings.Contains(page, want) {
			t.Errorf("it lacks %s", want)
		}
	}
	policy := header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || header.Get("Cache-Control") != "no-store" {
		t.Errorf("its headers are %v", header)
	}
	for _, path := range []string{"/page.css", "/page.js"} {
		if text, _ := s.get(path); strings.Contains(text, "://") {
			t.Errorf("%s loads something from elsewhere", path)
		}
	}
}
