package caddymodule

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

const otherOrigin = "https://b.example"

// scriptOf is the visitor as a script of another origin, in a browser that
// marks what it sends.
func (v *visitor) scriptOf(origin string) *visitor {
	return v.with("Origin", origin).with("Sec-Fetch-Site", "cross-site").with("Sec-Fetch-Dest", "empty").with("Sec-Fetch-Mode", "cors")
}

// readableElsewhere fails if a script of another origin could not read the
// answer and what it says of money, or could use the reader's cookies for it.
func (c *checked) readableElsewhere() *checked {
	c.Helper()
	c.wantsHeader(allowOrigin, "*").wantsHeader(exposeHeaders, exposed).wantsHeader("Access-Control-Allow-Credentials", "")
	return c.wantsHeader("Set-Cookie", "").wantsHeader("Cache-Control", "no-store")
}

// unreadableElsewhere fails if a script of another origin could read it.
func (c *checked) unreadableElsewhere() *checked {
	c.Helper()
	return c.wantsHeader(allowOrigin, "").wantsHeader(exposeHeaders, "")
}

func TestWhatIsExposedIsWhatAnswersSay(t *testing.T) {
	for _, name := range []string{
		"Paywall-Price", "Paywall-Charged", "Paywall-Balance", "Paywall-Visits", "Paywall-Refunded", "Link", "Retry-After", "WWW-Authenticate",
	} {
		if !slices.Contains(strings.Split(exposed, ", "), name) {
			t.Errorf("%s is not exposed", name)
		}
	}
}

func TestAnotherOriginReadsThe402InEveryForm(t *testing.T) {
	s := startSite(t, magazine)
	for accept, says := range map[string]string{"application/json": `"quote"`, "*/*": "0.10 USD", "text/html": "$0.10"} {
		asking := s.stranger().with("Accept", accept)
		asking.scriptOf(otherOrigin).get("/articles/1").wants(http.StatusPaymentRequired).says(says).readableElsewhere()
		asking.scriptOf("null").get("/articles/1").wants(http.StatusPaymentRequired).readableElsewhere()
		asking.get("/articles/1").wants(http.StatusPaymentRequired).unreadableElsewhere()
	}
	m := s.machine("0.05").scriptOf(otherOrigin)
	m.get("/articles/1").wants(http.StatusPaymentRequired).says("not_enough").readableElsewhere()
	m.with("Authorization", "Bearer nonsense").get("/articles/1").wants(http.StatusUnauthorized).readableElsewhere()
	s.stranger().scriptOf(otherOrigin).get("/").wants(http.StatusOK).unreadableElsewhere() // what is free is the site's to share
}

// What the site says of other origins stands.
func TestTheSitesOwnWordOnOtherOriginsStands(t *testing.T) {
	s := startSite(t, "header Access-Control-Allow-Origin https://partner.example\n"+magazine)
	script := s.stranger().scriptOf("https://partner.example")
	for _, answer := range []*checked{
		script.get("/articles/1").wants(http.StatusPaymentRequired), script.get("/.paywall/prices").wants(http.StatusOK),
		script.post("/.paywall/wallets", nil).wants(http.StatusCreated),
	} {
		answer.wantsHeader(allowOrigin, "https://partner.example").wantsHeader(exposeHeaders, exposed)
	}
	m := s.machine("1.00").scriptOf("https://partner.example")
	m.get("/articles/1").wants(http.StatusOK).wantsHeader(allowOrigin, "https://partner.example").
		wantsHeader(exposeHeaders, exposed).wantsHeader("Paywall-Charged", "0.10 USD")
}

// A paid page is the site's to share; where it does, what was paid is readable.
func TestAPaidPageThatOthersMayReadSaysWhatWasPaid(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Path != "/articles/3" {
			w.Header().Set(allowOrigin, otherOrigin)
			w.Header().Set(exposeHeaders, "X-Own")
		}
		_, err := w.Write([]byte(secretBody))
		return err
	}))
	m := s.machine("1.00").scriptOf(otherOrigin)
	for range 2 { // paid, and paid for already
		m.get("/articles/1").wants(http.StatusOK).wantsHeader(allowOrigin, otherOrigin).wantsHeader(exposeHeaders, "X-Own, "+exposed)
	}
	m.get("/articles/3").wants(http.StatusOK).unreadableElsewhere().wantsHeader("Paywall-Charged", "0.10 USD")
}

func TestAPreflightBelowThePrefixIsAnswered(t *testing.T) {
	s := startSite(t, magazine)
	paths := []string{"/.paywall/", "/.paywall/nothing"}
	for path := range endpoints {
		paths = append(paths, path)
	}
	for _, path := range paths {
		asking := s.stranger().with("Origin", otherOrigin).with("Access-Control-Request-Method", "POST").
			with("Access-Control-Request-Headers", "authorization,content-type")
		asking.do(http.MethodOptions, path, "", "").wants(http.StatusNoContent).
			wantsHeader(allowOrigin, "*").wantsHeader("Access-Control-Allow-Methods", "GET, HEAD, POST").
			wantsHeader("Access-Control-Allow-Headers", sendable).wantsHeader("Access-Control-Max-Age", preflightAge).
			wantsHeader("Access-Control-Allow-Credentials", "").wantsHeader(exposeHeaders, "").wantsHeader("Content-Length", "")
	}
	s.stranger().do(http.MethodOptions, "/.paywall/pay", "", "").wants(http.StatusMethodNotAllowed)
}

// The story of a script: it reads the price, makes a wallet of its own, puts
// money into it and pays.
func TestAScriptOfAnotherOriginPaysWithItsToken(t *testing.T) {
	s := startSite(t, magazine)
	for name, marks := range map[string]*visitor{
		"a browser": s.stranger().scriptOf(otherOrigin), "an old browser": s.stranger().with("Origin", otherOrigin),
		"one that would like pages": s.stranger().scriptOf(otherOrigin).with("Accept", "text/html"),
		"a sandbox":                 s.stranger().scriptOf("null"),
	} {
		var made madeJSON
		marks.decode([]byte(marks.post("/.paywall/wallets", nil).wants(http.StatusCreated).readableElsewhere().body), &made)
		script := marks.with("Authorization", "Bearer "+made.Token)
		script.post(page.RedeemPath, map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK).readableElsewhere()
		script.submit(page.RedeemPath, url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusOK).readableElsewhere()
		script.post(page.RedeemPath, map[string]any{"code": "0"}).wants(http.StatusUnprocessableEntity).readableElsewhere()
		var c challengeJSON
		script.decode([]byte(s.stranger().get("/articles/1").body), &c)
		script.post(page.PayPath, map[string]any{"quote": c.Quote}).wants(http.StatusOK).readableElsewhere().
			wantsHeader("Paywall-Charged", "0.10 USD")
		script.post(page.PayPath, map[string]any{"path": "/nothing"}).wants(http.StatusNotFound).readableElsewhere()
		script.post(page.NewRecoveryPath, nil).wants(http.StatusOK).readableElsewhere()
		script.get("/articles/1").wants(http.StatusOK).says("SECRET").wantsHeader("Set-Cookie", "")
		script.get("/.paywall/wallet").wants(http.StatusOK).says(`"1.90"`).readableElsewhere()
		script.get("/.paywall/wallet/entries").wants(http.StatusOK).says("/articles/1").readableElsewhere()
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// A stranger has nothing to lose: from another origin too a voucher opens a new
// wallet. It does not become the reader's.
func TestAScriptOfAnotherOriginRedeemsAVoucherIntoAWalletOfItsOwn(t *testing.T) {
	s := startSite(t, magazine)
	reader := s.browser()
	script := *reader
	script.header = reader.scriptOf(otherOrigin).header
	var made redeemedJSON
	s.decode([]byte(script.post(page.RedeemPath, map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK).readableElsewhere().body), &made)
	if made.Token == "" || made.RecoveryCode == "" || made.Balance.Amount != "1.00" {
		t.Errorf("the script gets %+v", made)
	}
	script.post(page.RecoverPath, map[string]any{"code": made.RecoveryCode}).wants(http.StatusOK).readableElsewhere()
	reader.get("/.paywall/wallet").wants(http.StatusOK).saysNot("1.00", made.Wallet)
}

func TestThePublicListsSayTheSameToEveryOrigin(t *testing.T) {
	s := startSite(t, magazine)
	for _, path := range []string{pricesPath, keysPath} {
		asked, askedElsewhere := s.stranger().get(path).wants(http.StatusOK), s.stranger().scriptOf(otherOrigin).get(path).wants(http.StatusOK)
		asked.Header.Del("Date")
		askedElsewhere.Header.Del("Date")
		for name := range asked.Header {
			askedElsewhere.wantsHeader(name, strings.Join(asked.Header.Values(name), ", "))
		}
		if len(asked.Header) != len(askedElsewhere.Header) || asked.Header.Get(allowOrigin) != "*" {
			t.Errorf("%s says %v and %v", path, asked.Header, askedElsewhere.Header)
		}
	}
}
