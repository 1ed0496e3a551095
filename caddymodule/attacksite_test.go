package caddymodule

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// crossSite is how a browser marks a request that another site has made it
// send, newer browsers by Sec-Fetch-Site and older ones by Origin.
var crossSite = [][2]string{
	{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	{"Origin", "https://evil.example"}, {"Origin", "null"},
}

// The attack: a page elsewhere that has the reader's browser post a form here.
// Nothing happens, whatever the form asks for, and the answer leads nowhere.
func TestAttackCrossSitePost(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	card, err := s.enrolKiosk("lobby").Tap(t.Context(), newTap(t, "gate", "0.10", plainCard(t, 1)))
	if err != nil || card.Claim == "" {
		t.Fatalf("a card to claim is %+v, %v", card, err)
	}
	reader := s.browser()
	reader.submit(page.RedeemPath, url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther)
	code := s.voucher("1.00")
	var c challengeJSON
	s.decode([]byte(s.stranger().get("/articles/1").body), &c)
	before := s.operator("verify", "--json")
	posts := 0
	for path, endpoint := range endpoints {
		if endpoint.method != http.MethodPost {
			continue
		}
		posts++
		for _, mark := range crossSite {
			attacked := reader.with(mark[0], mark[1])
			if mark[0] == "Origin" {
				attacked.header.Del("Sec-Fetch-Site")
			}
			form := url.Values{"code": {code}, "quote": {c.Quote}, "offer": {"view"}, "revoke": {"1"}, "claim": {card.Claim}}
			for _, answer := range []*checked{
				attacked.submit(path, form), attacked.post(path, map[string]any{"code": code, "claim": card.Claim}),
				attacked.with("Accept", "application/json").submit(path, form),
			} {
				answer.wants(http.StatusForbidden).wantsHeader("Set-Cookie", "").wantsHeader("Location", "").saysNot("token", code)
			}
		}
	}
	if posts != 16 {
		t.Errorf("%d endpoints take posts, and 16 are tested", posts)
	}
	reader.with("Accept", "application/json").get(page.CardsPath).wants(http.StatusOK).says(`{"cards":[]}`)
	if after := s.operator("verify", "--json"); after != before {
		t.Errorf("the books were\n%s and are\n%s", before, after)
	}
	reader.wantsBalance("1.00")
}

// The attack: a page elsewhere that shows ours in a frame, or loads it as an
// image, so that a pass is spent without the reader's knowing.
func TestAttackSpendingAPassFromAnotherSite(t *testing.T) {
	s := startSite(t, magazine)
	reader := s.browser()
	reader.submit(page.RedeemPath, url.Values{"code": {s.voucher("10.00")}}).wants(http.StatusSeeOther)
	reader.submit(page.PayPath, url.Values{"path": {"/research/1"}, "offer": {"bundle"}}).wants(http.StatusSeeOther)
	for _, marks := range [][2]string{
		{"Sec-Fetch-Dest", "iframe"}, {"Sec-Fetch-Dest", "image"}, {"Sec-Fetch-Dest", "empty"}, {"Sec-Fetch-Site", "cross-site"},
		{"Sec-Purpose", "prefetch"},
	} {
		reader.with(marks[0], marks[1]).get("/research/2").wants(http.StatusPaymentRequired).saysNot("SECRET")
	}
	reader.do(http.MethodPost, "/research/2", "", "").wants(http.StatusPaymentRequired)
	reader.get("/research/2").wants(http.StatusOK).wantsHeader("Paywall-Visits", "9")
}

// A cookie alone never pays money: only the button does.
func TestAttackSpendingMoneyByALink(t *testing.T) {
	s := startSite(t, magazine)
	reader := s.browser()
	reader.submit(page.RedeemPath, url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther)
	reader.get("/articles/1").wants(http.StatusPaymentRequired)
	reader.do(http.MethodPost, "/articles/1", "", "").wants(http.StatusPaymentRequired)
	reader.get(page.PayPath + "?path=/articles/1").wants(http.StatusMethodNotAllowed)
	reader.wantsBalance("1.00")
}

// The attack: hostile text in an address, a cookie or a field that the pages
// show back.
func TestAttackHostileTextOnThePages(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10 {\ntitle \"{http.request.uri.query.t}\"\nteaser \"{http.request.header.X}\"\n}\nfile_server")
	const script = `<script>alert(1)</script>`
	reader := s.browser().with("X", script)
	reader.get("/articles/"+url.PathEscape(script)+"?t="+url.QueryEscape(script)+`&lang="><script>`).
		wants(http.StatusPaymentRequired).saysNot("<script>", "alert(1)</")
	reader.get("/.paywall/wallet?cursor=" + url.QueryEscape(script)).saysNot("<script>")
	reader.get("/.paywall/" + script).saysNot("<script>")
	for _, name := range []string{noticeCookie, recoveryCookie, tokenCookie} {
		reader.with("Cookie", name+"="+url.QueryEscape(script)).get("/.paywall/wallet").wants(http.StatusOK).saysNot("script>alert")
	}
	page := reader.get("/articles/1")
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors") {
		t.Errorf("the policy is %q", policy)
	}
	page.wantsHeader("X-Content-Type-Options", "nosniff").wantsHeader("Referrer-Policy", "same-origin")
}

// The attack: filling the ledger with wallets. One address makes so many and
// no more, while others go on.
func TestAttackWalletsWithoutNumber(t *testing.T) {
	s := startSite(t, magazine)
	app := runningApp(t)
	for range maxNewWallets - 1 {
		app.limits.newWallets.add(partyAt("127.0.0.1"), app.now())
	}
	s.stranger().post("/.paywall/wallets", nil).wants(http.StatusCreated)
	refused := s.stranger().post("/.paywall/wallets", nil).wants(http.StatusTooManyRequests)
	if refused.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	s.stranger().post(page.RedeemPath, map[string]any{"code": s.voucher("1.00")}).wants(http.StatusTooManyRequests)
}
