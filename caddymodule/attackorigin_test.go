package caddymodule

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// richReader is a reader's browser with a wallet of one dollar and a pass, and
// its token.
func richReader(s *site) (reader *visitor, token string) {
	s.Helper()
	reader = s.browser()
	reader.submit(page.RedeemPath, url.Values{"code": {s.voucher("11.00")}}).wants(http.StatusSeeOther)
	reader.submit(page.PayPath, url.Values{"path": {"/research/1"}, "offer": {"bundle"}}).wants(http.StatusSeeOther)
	at, err := url.Parse(s.url)
	if err != nil {
		s.Fatal(err)
	}
	for _, cookie := range reader.client.Jar.Cookies(at) {
		if cookie.Name == tokenCookie {
			token = cookie.Value
		}
	}
	if token == "" {
		s.Fatal("the reader has no token")
	}
	return reader, token
}

// elsewhereMarks are how browsers mark a request of another origin.
var elsewhereMarks = map[string]http.Header{
	"another site":      {"Origin": {otherOrigin}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Dest": {"empty"}},
	"another host":      {"Origin": {"https://sub.a.example"}, "Sec-Fetch-Site": {"same-site"}, "Sec-Fetch-Dest": {"empty"}},
	"a sandbox":         {"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}},
	"an old browser":    {"Origin": {otherOrigin}},
	"an old sandbox":    {"Origin": {"null"}},
	"a form of another": {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}},
}

// marked is the visitor with these header fields alone, and its cookies.
func (v *visitor) marked(marks http.Header, accept string) *visitor {
	other := *v
	other.header = marks.Clone()
	other.header.Set("Accept", accept)
	return &other
}

// The attack: a page of another origin whose script pays, looks, or changes
// something with the cookie that the reader's browser adds.
func TestAttackPayingWithTheReadersCookieFromAnotherOrigin(t *testing.T) {
	s := startSite(t, magazine)
	reader, token := richReader(s)
	code := s.voucher("1.00")
	before := s.operator("verify", "--json")
	for name, marks := range elsewhereMarks {
		for _, accept := range []string{"text/html", "application/json", "*/*"} {
			script := reader.marked(marks, accept)
			for path, endpoint := range endpoints {
				if endpoint.method != http.MethodPost {
					continue
				}
				for _, media := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain", ""} {
					body := `{"path": "/articles/1", "code": "` + code + `"}`
					switch media {
					case "application/x-www-form-urlencoded":
						body = "path=/articles/1&code=" + code
					case "":
						body = ""
					}
					script.do(http.MethodPost, path, media, body).wants(http.StatusForbidden).
						wantsHeader("Set-Cookie", "").wantsHeader("Location", "").saysNot(token)
				}
			}
			for _, path := range []string{"/articles/1", "/research/2"} {
				answer := script.get(path).saysNot(token)
				if _, says := marks["Origin"]; says {
					answer.wants(http.StatusPaymentRequired).saysNot("SECRET")
				}
			}
			if _, says := marks["Origin"]; says {
				for _, path := range []string{page.WalletPath, entriesPath} {
					script.get(path).wants(http.StatusUnauthorized).readableElsewhere().saysNot("balance", token)
				}
			}
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if after := s.operator("verify", "--json"); after != before {
		t.Errorf("the books were\n%s and are\n%s", before, after)
	}
	reader.wantsBalance("1.00")
}

// The attack: a script with a token of its own has the reader's browser add the
// cookie, so that the reader pays, or is signed in to the script's wallet. The
// token alone counts.
func TestAttackATokenBesideTheReadersCookie(t *testing.T) {
	s := startSite(t, magazine)
	reader, _ := richReader(s)
	m := s.machine("1.00")
	for name, marks := range elsewhereMarks {
		script := reader.marked(marks, "text/html").with("Authorization", m.header.Get("Authorization"))
		if !strings.Contains(name, "form") { // which sends no token
			script.post(page.RedeemPath, map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK).readableElsewhere().says(m.id())
			script.submit(page.RedeemPath, url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusOK).readableElsewhere().says(m.id())
			script.post(page.NewRecoveryPath, nil).wants(http.StatusOK).readableElsewhere()
			script.post(walletsPath, nil).wants(http.StatusCreated).readableElsewhere()
			script.get(page.WalletPath).wants(http.StatusOK).says(m.id()).readableElsewhere()
		}
		script.with("Authorization", "Bearer nonsense").post(page.PayPath, map[string]any{"path": "/articles/1"}).
			wants(http.StatusUnauthorized).readableElsewhere()
		script.with("Authorization", "Bearer").post(page.PayPath, map[string]any{"path": "/articles/1"}).
			wants(http.StatusBadRequest).wantsHeader("Set-Cookie", "")
		script.with("Authorization", "Basic dTpw").post(page.PayPath, map[string]any{"path": "/articles/1"}).
			wants(http.StatusForbidden).wantsHeader("Set-Cookie", "")
	}
	m.post(page.PayPath, map[string]any{"path": "/articles/1"}).wants(http.StatusOK)
	reader.wantsBalance("1.00")
	reader.get("/articles/1").wants(http.StatusPaymentRequired)
}

// The attack: a form on any page, which a browser sends without asking, fills
// the ledger with wallets from its readers' addresses, or signs them in to the
// attacker's.
func TestAttackAFormOfAnotherOriginMakesAWallet(t *testing.T) {
	s := startSite(t, magazine)
	before := s.operator("verify", "--json")
	code := s.voucher("1.00")
	for _, marks := range elsewhereMarks {
		form := s.browser().marked(marks, "text/html")
		for path, endpoint := range endpoints {
			if endpoint.method != http.MethodPost {
				continue
			}
			for _, media := range []string{"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "text/plain; application/json", "a, application/json"} {
				form.do(http.MethodPost, path, media, "code="+code).wants(http.StatusForbidden).wantsHeader("Set-Cookie", "").wantsHeader("Location", "")
			}
		}
	}
	s.browser().submit(page.RedeemPath, url.Values{"code": {code}}).wants(http.StatusSeeOther)
	if before == s.operator("verify", "--json") {
		t.Error("a form of the site's own makes no wallet either")
	}
}

// The attack: a page loads the wallet's where nobody sees it, so that the new
// recovery code, which is shown once, is shown to nobody.
func TestAttackARecoveryCodeShownToNobody(t *testing.T) {
	s := startSite(t, magazine)
	reader := s.browser()
	reader.submit(page.RedeemPath, url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther)
	for _, marks := range [][2]string{
		{"Sec-Fetch-Dest", "iframe"}, {"Sec-Fetch-Dest", "empty"}, {"Sec-Fetch-Dest", "image"}, {"Sec-Fetch-Site", "cross-site"},
		{"Sec-Purpose", "prefetch;prerender"}, {"Origin", otherOrigin},
	} {
		for _, path := range []string{page.WalletPath, "/articles/1"} {
			reader.with(marks[0], marks[1]).get(path).wantsHeader("Set-Cookie", "")
		}
	}
	reader.get(page.WalletPath).says(`class="has-code"`)
}
