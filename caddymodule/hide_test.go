package caddymodule

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The attack: an upstream that serves a site's free pages, or somebody who
// reads its logs, spends the wallets of those who read them.
func TestAttackTheUpstreamOfAFreePageCollectsTokens(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Clone()
		_, _ = io.WriteString(w, "free")
	})
	m := s.machine("1.00")
	token := strings.TrimPrefix(m.header.Get("Authorization"), "Bearer ")
	for name, asking := range map[string]*visitor{
		"a machine":             m,
		"a reader":              s.stranger().with("Cookie", "a=1; paywall="+token),
		"both":                  m.with("Cookie", "paywall="+token+"; a=1"),
		"one who forges prices": m.with("Paywall-Charged", "9.99 USD"),
	} {
		asking.get("/free").wants(http.StatusOK).says("free")
		for field, values := range <-seen {
			if text := strings.Join(values, " "); strings.Contains(text, token) || strings.HasPrefix(field, "Paywall-") {
				t.Errorf("%s: the upstream sees %s: %q", name, field, text)
			}
		}
	}
	m.wantsBalance("1.00")
}

// A site that authenticates with bearer tokens of its own keeps them on its
// free pages.
func TestATokenOfTheSitesOwnReachesItsFreePages(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() })
	for _, own := range []string{"Bearer of-the-site", "Basic dTpw", "Bearer eyJhbGciOiJub25lIn0.e30."} {
		s.stranger().with("Authorization", own).with("Cookie", "session=1").get("/free").wants(http.StatusOK)
		if h := <-seen; h.Get("Authorization") != own || h.Get("Cookie") != "session=1" {
			t.Errorf("of %q the upstream sees %q and the cookies %q", own, h.Get("Authorization"), h.Get("Cookie"))
		}
	}
}

// In a route block lines run as written: what an earlier one hides, a later one
// still needs.
func TestAPriceAfterAnotherLineStillSeesTheCredential(t *testing.T) {
	s := startSite(t, "route {\npaywall /research/* 1.00\npaywall\npaywall /articles/* 0.10\nfile_server\n}")
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	token := strings.TrimPrefix(m.header.Get("Authorization"), "Bearer ")
	s.stranger().with("Cookie", "paywall="+token).get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
}

// The attack: a page that prints the request's variables prints a token.
func TestAttackTheVariablesOfARequestShowNoToken(t *testing.T) {
	s := startSite(t, `paywall
		respond "{http.vars.`+presentedVar+`} end"`)
	m := s.machine("")
	token := strings.TrimPrefix(m.header.Get("Authorization"), "Bearer ")
	if body := m.get("/free").wants(http.StatusOK).says("end").body; strings.Contains(body, token) ||
		strings.Contains(body, fmt.Sprintf("%x", token)) {
		t.Errorf("the page shows the token: %s", body)
	}
}
