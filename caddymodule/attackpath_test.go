package caddymodule

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// spellings of /articles/1, and of what a careless server takes for it.
var spellings = []string{
	"/articles/1", "/articles/1?x", "/articles/1?", "/articles/1#x", "/articles/1;x", "/articles/1/", "/articles/1/.", "/articles/1//",
	"//articles/1", "///articles/1", "//articles//1", "/articles//1", "/./articles/1", "/articles/./1", "/.//articles/1",
	"/free/../articles/1", "/articles/../articles/1", "/articles/x/../1", "/../articles/1", "/../../articles/1", "/.../articles/1",
	"/articles/%2e%2e/articles/1", "/%2e/articles/1", "/%2e%2e/articles/1", "/free/%2e%2e/articles/1", "/free/..%2farticles/1",
	"/articles%2f1", "/articles%2F1", "/%61rticles/1", "/articles/%31", "/%61%72%74%69%63%6c%65%73%2f%31", "%2farticles/1", "/%2farticles/1",
	"/articles%252f1", "/%2561rticles/1", "/ARTICLES/1", "/Articles/1", "/articles%5c1", `/articles\1`, `\articles\1`, `/\articles/1`,
	"/articles/1%00", "/articles/1%20", "/articles/1.", "/articles%00/1", "/articles/%c0%af1", "/articles/\u0031", "/articles/１",
	"/.paywall/../articles/1", "/.paywall/%2e%2e/articles/1", "/.paywall//../articles/1", "/.paywall/wallet/../../articles/1",
	"articles/1", "*", "http://evil.example/articles/1", "http://articles/1", "/index.html/../articles/1", "/articles/1/../1",
	"/articles/1?../../index.html", "/research/../articles/1", "/articles/1%3f", "/articles/1%23", "/articles/2/../1", "/~/../articles/1",
}

// The attack: a spelling of a priced path that the price does not match and
// the file server still finds.
func TestAttackSpellingsOfAPricedPath(t *testing.T) {
	s := startSite(t, magazine)
	host := strings.TrimPrefix(s.url, "http://")
	for _, path := range spellings {
		for _, head := range []string{"GET %s HTTP/1.1", "POST %s HTTP/1.1", "get %s HTTP/1.1", "PROPFIND %s HTTP/1.1", "HEAD %s HTTP/1.1", "GET %s HTTP/1.0"} {
			raw := exchange(t, host, fmt.Sprintf(head, path)+"\r\nHost: "+host+"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			if strings.Contains(raw, "SECRET articles") || strings.Contains(raw, "SECRET research") {
				t.Errorf("%s: a priced byte leaves unpaid:\n%.500s", fmt.Sprintf(head, path), raw)
			}
			if !strings.HasPrefix(raw, "HTTP/1.") {
				t.Errorf("%s: the server answers %.200q", fmt.Sprintf(head, path), raw)
			}
		}
	}
}

// The attack: another spelling that is paid for again, or that is paid for as
// something cheaper. All spellings that lead to the page are one charge; those
// with dots lead to the one without.
func TestAttackSpellingsOfAPaidPath(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	read := 0
	for _, path := range spellings {
		if raw := m.raw("GET", path); strings.Contains(raw, "SECRET articles/1") {
			read++
		}
	}
	if read < 15 {
		t.Errorf("only %d spellings lead to the page", read)
	}
	m.wantsBalance("0.90")
}

// The attack: a form's return field, or the address of the page itself, that
// leads the reader to another site after paying.
func TestAttackOpenRedirect(t *testing.T) {
	s := startSite(t, magazine)
	reader := s.browser()
	reader.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("5.00")}}).wants(http.StatusSeeOther)
	for _, back := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example/`, `\\evil.example`, "/\t/evil.example", "javascript:alert(1)", "evil.example", "\n//evil.example",
	} {
		for path, form := range map[string]url.Values{
			page.RedeemPath:  {"code": {s.voucher("0.01")}},
			page.PayPath:     {"path": {"/articles/1"}},
			page.RecoverPath: {"code": {"x"}},
		} {
			form.Set("return", back)
			reader.submit(path, form).wants(http.StatusSeeOther).wantsHeader("Location", page.WalletPath)
		}
	}
}

// The attack: the challenge for //evil.example/articles/1 that leads, after
// paying, to another site.
func TestAttackOpenRedirectThroughTheQuote(t *testing.T) {
	s := startSite(t, "paywall 0.10\nfile_server")
	host := strings.TrimPrefix(s.url, "http://")
	for _, path := range []string{"//evil.example/articles/1", "///evil.example", `/%5cevil.example`, "//evil.example/%2f..", `/\evil.example`} {
		raw := exchange(t, host, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
		if strings.Contains(raw, `"//evil`) || strings.Contains(raw, `"/\evil`) || strings.Contains(raw, "=//evil") {
			t.Errorf("the challenge for %s leads away:\n%s", path, raw)
		}
		m := s.machine("1.00")
		raw = m.raw("GET", path)
		if strings.Contains(raw, "Location: //") || strings.Contains(raw, `Location: /\`) {
			t.Errorf("after paying, %s leads away:\n%s", path, raw)
		}
	}
}

// The attack: paying little for a page that another page's quote stands for.
func TestAttackQuoteOfAnotherPage(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	var c challengeJSON
	m.decode([]byte(s.stranger().get("/articles/2").body), &c)
	m.post("/.paywall/pay", map[string]any{"quote": c.Quote, "return": "/articles/1"}).wants(http.StatusOK)
	m.with("Sec-Purpose", "prefetch").get("/articles/1").wants(http.StatusPaymentRequired).saysNot("SECRET")
	m.with("Sec-Purpose", "prefetch").get("/articles/2").wants(http.StatusOK)
	m.wantsBalance("0.90")
}
