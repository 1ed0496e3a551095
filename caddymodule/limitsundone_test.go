package caddymodule

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// untilRefused asks until it is told to wait, which must come after as many
// times as a wallet has at once, and before as many again have come back.
func untilRefused(t *testing.T, ask func() *checked, want int) {
	t.Helper()
	for i := range 2 * maxUndone {
		got := ask()
		if got.StatusCode == http.StatusTooManyRequests {
			if i < maxUndone || got.Header.Get("Retry-After") == "" {
				t.Errorf("refused after %d times, Retry-After is %q", i, got.Header.Get("Retry-After"))
			}
			return
		}
		got.wants(want)
	}
	t.Errorf("not refused after %d times", 2*maxUndone)
}

// The attack: filling the journal with ten cents, by asking again and again for
// what is refused after the money was set aside. What costs money goes on.
func TestAttackHoldsThatCostNothing(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("0.20")
	untilRefused(t, func() *checked { return m.post("/articles/1", nil) }, http.StatusMethodNotAllowed) // says file_server
	m.wantsBalance("0.20")
	m.get("/articles/1").wants(http.StatusOK)
	s.machine("0.20").post("/articles/1", nil).wants(http.StatusMethodNotAllowed)
}

// The attack: the same by paying ahead for pages that are not there.
func TestAttackRefundsThatCostNothing(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("0.20")
	untilRefused(t, func() *checked {
		paid := m.post(page.PayPath, map[string]any{"path": "/articles/none", "offer": "view"})
		if paid.StatusCode == http.StatusOK {
			if got := m.get("/articles/none").wants(http.StatusNotFound); !strings.HasPrefix(got.Header.Get("Paywall-Refunded"), "0.10") {
				t.Fatalf("the money is not back: %v", got.Header)
			}
		}
		return paid
	}, http.StatusOK)
	m.wantsBalance("0.20")
}
