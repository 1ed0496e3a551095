package caddymodule

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

const withReadingRoom = `paywall {
	kiosks {
		product gate 0.10
		opens gate /articles/* 1h /
	}
}`

const kioskScreen = "http://127.0.0.1:8404/"

// kioskBrowser is a kiosk's browser, which has no wallet, on the way from the kiosk's own
// page.
func (s *site) kioskBrowser() *visitor {
	return s.browser().with("Sec-Fetch-Site", "cross-site")
}

// begins posts what the kiosk's own page does.
func (v *visitor) begins(tap wire.Verdict) *checked {
	v.Helper()
	return v.with("Origin", "http://127.0.0.1:8404").submit(wire.BrowserPath, url.Values{
		wire.CodeField: {wire.BrowserCode("lobby", tap.Grant)}, wire.ReturnField: {kioskScreen},
	})
}

// readingRoom is a site with a kiosk, and a card that taps there.
func readingRoom(t *testing.T) (s *site, k *client.Client, tap func() wire.Verdict) {
	t.Helper()
	s = startSiteWith(t, withReadingRoom, `respond /articles/echo "sees {header.Cookie}{header.Paywall-Wallet}{header.Paywall-Charge}."`+magazine)
	k = s.enrolKiosk("lobby")
	shown := plainCard(t, 1)
	m := s.machine("5.00")
	v, err := k.Tap(t.Context(), newTap(t, "gate", "0.10", shown))
	if err != nil {
		t.Fatal(err)
	}
	m.post("/.paywall/cards/add", map[string]any{"claim": v.Claim}).wants(http.StatusOK)
	return s, k, func() wire.Verdict {
		t.Helper()
		again := newTap(t, "gate", "0.10", shown)
		again.Again = true
		v, err := k.Tap(t.Context(), again)
		if err != nil || v.Outcome != wire.Granted {
			t.Fatalf("the tap is %+v, %v", v, err)
		}
		return v
	}
}

// Somebody taps, the kiosk's browser reads what the card has paid for, and is signed out
// when the card leaves.
func TestATapSignsTheKiosksBrowserInAndOut(t *testing.T) {
	s, k, taps := readingRoom(t)
	v, b := taps(), s.kioskBrowser()
	b.get("/articles/1").wants(http.StatusPaymentRequired)
	if state, err := k.Session(t.Context(), v.Grant, false); err != nil || state.Begun {
		t.Fatalf("before the browser has come: %+v, %v", state, err)
	}
	lost := b.begins(v)
	answer := b.begins(v).wants(http.StatusSeeOther) // the first answer was lost
	if lost.Header.Get("Set-Cookie") == answer.Header.Get("Set-Cookie") {
		t.Error("the second browser has the secret of the first")
	}
	cookie, address := answer.Header.Get("Set-Cookie"), answer.Header.Get("Location")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || strings.Contains(address, v.Grant[:20]) {
		t.Errorf("it is sent to %s with %s", address, cookie)
	}
	bar := b.get(address).wants(http.StatusOK).says("Paid by card", "End now", `src="/"`)
	bar.wantsHeader("Cache-Control", "no-store").wantsHeader("Content-Security-Policy", page.Session{}.Policy())
	b.with("Accept", "application/json").get(page.SessionPath).says(`"live":true`)
	inFrame := b.with("Sec-Fetch-Dest", "iframe").with("Sec-Fetch-Site", "same-origin")
	for range 2 {
		inFrame.get("/articles/1").wants(http.StatusOK).says("SECRET").wantsHeader("Cache-Control", "private, no-store").wantsHeader("Paywall-Charged", "")
	}
	inFrame.get("/articles/2").wants(http.StatusOK)
	inFrame.get("/articles/echo").wants(http.StatusOK).says("sees .") // the upstream: no cookie, and nobody's wallet
	inFrame.get("/research/1").wants(http.StatusPaymentRequired)
	if state, err := k.Session(t.Context(), v.Grant, true); err != nil || !state.Begun || state.Ended {
		t.Errorf("the kiosk hears %+v, %v", state, err)
	}
	if err := k.Leave(t.Context(), v.ID); err != nil {
		t.Fatal(err)
	}
	inFrame.get("/articles/1").wants(http.StatusPaymentRequired)
	b.with("Accept", "application/json").get(page.SessionPath).says(`"live":false`)
	b.get(page.SessionPath).wants(http.StatusOK).says("You are signed out", `href="http://127.0.0.1:8404/"`).wantsHeader("Refresh", "5; url=http://127.0.0.1:8404/")

	b.begins(taps()).wants(http.StatusSeeOther)
	b.get(page.SessionPath).says("End now")
	b.with("Sec-Fetch-Site", "same-origin").submit(page.EndSessionPath, nil).wants(http.StatusSeeOther)
	b.get("/articles/1").wants(http.StatusPaymentRequired)
}

// The attack: the code is used a second time in another browser, the cookie is stolen,
// forged, or sent with what it does not cover; and a page elsewhere posts a code of its own
// to a reader's browser, or ends what somebody reads.
func TestAttackASessionOfAKiosksBrowser(t *testing.T) {
	s, k, taps := readingRoom(t)
	v, b, other := taps(), s.kioskBrowser(), s.kioskBrowser()
	cookie, _, _ := strings.Cut(b.begins(v).wants(http.StatusSeeOther).Header.Get("Set-Cookie"), ";")
	b.get(page.SessionPath).says("End now")
	used := other.begins(v).wants(http.StatusSeeOther).wantsHeader("Set-Cookie", "")
	other.get(used.Header.Get("Location")).wants(http.StatusOK).says("This tap is over", "You are signed out")
	other.get("/articles/1").wants(http.StatusPaymentRequired)
	b.begins(v).wants(http.StatusSeeOther) // twice, by the browser that has it: it goes on
	b.get(page.SessionPath).says("End now")

	thief := s.stranger().with("Cookie", cookie)
	thief.get("/research/1").wants(http.StatusPaymentRequired)
	thief.get("/.paywall/wallet").wants(http.StatusUnauthorized)
	thief.with("Host", "other.example").get("/.paywall/cards").wants(http.StatusUnauthorized)
	name, value, _ := strings.Cut(cookie, "=")
	for _, forged := range []string{value[:len(value)-1], strings.ToUpper(value), "x" + value, value + value} {
		s.stranger().with("Cookie", name+"="+forged).get("/articles/1").wants(http.StatusPaymentRequired)
	}
	for _, mark := range crossSite {
		elsewhere := b.with(mark[0], mark[1])
		if mark[0] == "Origin" {
			elsewhere.header.Del("Sec-Fetch-Site")
		}
		elsewhere.submit(page.EndSessionPath, nil).wants(http.StatusForbidden)
	}
	thief.get("/articles/1").wants(http.StatusOK)
	if err := k.Leave(t.Context(), v.ID); err != nil {
		t.Fatal(err)
	}
	thief.get("/articles/1").wants(http.StatusPaymentRequired)

	for _, next := range []string{"https://evil.example/", "http://127.0.0.1.evil.example/", "javascript:alert(1)", "http://u@localhost/", "//127.0.0.1/"} {
		s.browser().get(page.SessionPath+"?over=1&next="+url.QueryEscape(next)).wants(http.StatusOK).wantsHeader("Refresh", "").saysNot("evil", "alert(1)")
	}
	s.stranger().post(wire.BrowserPath, map[string]any{"code": "lobby."}).wants(http.StatusSeeOther).wantsHeader("Set-Cookie", "")
	s.stranger().post(wire.SessionPath, map[string]any{}).wants(http.StatusUnauthorized)
	s.stranger().post(wire.LeavePath, map[string]any{"tap": v.ID}).wants(http.StatusUnauthorized)
}
