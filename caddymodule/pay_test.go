package caddymodule

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// limited is a machine whose token pays at most so much at a time.
func (s *site) limited(money, most string) *visitor {
	s.Helper()
	v := s.stranger()
	var made madeJSON
	s.decode([]byte(v.post("/.paywall/wallets", map[string]any{"max_price": most}).wants(http.StatusCreated).body), &made)
	v.header.Set("Authorization", "Bearer "+made.Token)
	v.post("/.paywall/vouchers/redeem", map[string]any{"code": s.voucher(money)}).wants(http.StatusOK)
	return v
}

func TestATokenPaysNoMoreThanItsLimit(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10 {\nbundle 10 0.90\n}\nfile_server")
	tight := s.limited("5.00", "0.099999")
	tight.get("/articles/1").wants(http.StatusPaymentRequired).says("0.099999 USD").saysNot("SECRET")
	tight.do(http.MethodPost, "/articles/1", "", "").wants(http.StatusPaymentRequired)
	for _, offer := range []string{"view", "bundle"} {
		tight.post("/.paywall/pay", map[string]any{"path": "/articles/1", "offer": offer}).wants(http.StatusPaymentRequired)
	}
	tight.wantsBalance("5.00")

	just := s.limited("5.00", "0.10")
	just.get("/articles/1").wants(http.StatusOK)
	just.post("/.paywall/pay", map[string]any{"path": "/articles/2"}).wants(http.StatusOK)
	just.post("/.paywall/pay", map[string]any{"path": "/articles/3", "offer": "bundle"}).wants(http.StatusPaymentRequired)
	just.wantsBalance("4.80")
}

func TestAPostIsHeldFirstAndPaysForWhatSucceeds(t *testing.T) {
	var during func()
	s := startSite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		during()
		return deliveries[r.URL.Query().Get("way")].serve(w, r)
	}))
	m := s.machine("0.10")
	held := ""
	during = func() {
		var w walletJSON
		m.decode([]byte(m.get("/.paywall/wallet").body), &w)
		held = w.Balance.Amount
		if w.Held != nil {
			held += " and " + w.Held.Amount
		}
	}
	m.do(http.MethodPost, wayFor("500"), "", "").wants(http.StatusInternalServerError).wantsHeader("Paywall-Charged", "")
	if held != "0.00 and 0.10" {
		t.Errorf("while the upstream works the wallet has %s", held)
	}
	m.wantsBalance("0.10")
	m.do(http.MethodPost, wayFor("WriteHeader and Write"), "", "").wants(http.StatusOK).
		wantsHeader("Paywall-Charged", "0.10 USD").wantsHeader("Paywall-Balance", "0.00 USD").says("SECRET")
	m.wantsBalance("0.00")
	m.do(http.MethodPost, "/articles/2?way=nothing", "", "").wants(http.StatusPaymentRequired)
}

// The upstream must not act for somebody who cannot pay.
func TestAPostThatCannotBeHeldDoesNotReachTheUpstream(t *testing.T) {
	reached := false
	s := startFaultySite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, _ *http.Request) error {
		reached = true
		w.WriteHeader(http.StatusOK)
		return nil
	}))
	m := s.machine("1.00")
	mend := breakLine(t, fault{lost: "hold"})
	m.do(http.MethodPost, "/articles/1", "", "").wants(http.StatusServiceUnavailable).wantsHeader("Retry-After", "5")
	mend()
	if reached {
		t.Error("the upstream has acted")
	}
	m.wantsBalance("1.00")
	mend = breakLine(t, fault{lost: "capture"})
	m.do(http.MethodPost, "/articles/1", "", "").wants(http.StatusServiceUnavailable)
	mend()
	m.wantsBalance("1.00") // the hold was let go
}

func TestAMachinePaysByQuoteAndByPath(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10 {\nbundle 10 0.90\n}\nfile_server")
	m := s.machine("2.00")
	var c challengeJSON
	decodeStrictly(t, m.with("Sec-Purpose", "prefetch").get("/articles/1?x=1").body, &c)
	quote := map[string]any{"quote": c.Quote, "offer": "view"}
	var first, again receiptJSON
	decodeStrictly(t, m.post(c.Pay, quote).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD").body, &first)
	if first.Outcome != "paid" || first.Charged != (moneyJSON{"0.10", "USD"}) || first.Balance != (moneyJSON{"1.90", "USD"}) ||
		first.Wallet != m.id() || first.Offer != "view" || first.Rule != "/articles/*" || first.Path != "/articles/1" ||
		first.Location != "/articles/1?x=1" || first.Until == nil || time.Until(*first.Until) < 23*time.Hour {
		t.Errorf("the receipt is %+v", first)
	}
	decodeStrictly(t, m.post(c.Pay, quote).wants(http.StatusOK).wantsHeader("Paywall-Charged", "").body, &again)
	if again.ID != first.ID || again.Charged != first.Charged || again.Balance != first.Balance || !again.Until.Equal(*first.Until) {
		t.Errorf("the receipt of a replay is %+v, want %+v", again, first) // invariant 3
	}
	decodeStrictly(t, m.post(c.Pay, map[string]any{"path": "/articles/1"}).wants(http.StatusOK).body, &again)
	if again.Outcome != "granted" || again.Charged.Amount != "0.00" {
		t.Errorf("paid again by path: %+v", again)
	}
	var bundle receiptJSON
	decodeStrictly(t, m.post(c.Pay, map[string]any{"path": "/articles/2", "offer": "bundle"}).wants(http.StatusOK).body, &bundle)
	if bundle.Outcome != "paid" || bundle.Visits != 10 || bundle.Balance.Amount != "1.00" {
		t.Errorf("the receipt of a bundle is %+v", bundle)
	}
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Visits", "9")
	m.wantsBalance("1.00")
}

func TestAPaymentWithAnIDIsMadeOnce(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	id := newTestID(t)
	body := map[string]any{"path": "/articles/1", "id": id}
	for range 3 {
		m.post("/.paywall/pay", body).wants(http.StatusOK).says(`"charged":{"amount":"0.10"`)
	}
	m.post("/.paywall/pay", map[string]any{"path": "/articles/2", "id": id}).wants(http.StatusConflict) // invariant 3
	m.wantsBalance("0.90")

	code := s.voucher("1.00")
	redeem := map[string]any{"code": code, "id": newTestID(t)}
	for range 3 {
		m.post("/.paywall/vouchers/redeem", redeem).wants(http.StatusOK).says(`"credited":{"amount":"1.00"`)
	}
	m.wantsBalance("1.90")
}

func newTestID(t *testing.T) string {
	t.Helper()
	id, err := wallet.NewOpID(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

func TestAPaymentIsForWhatIsForSaleHere(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("20.00")
	for body, status := range map[string]int{
		`{"path":"/"}`:                                        404,
		`{"path":"/nowhere"}`:                                 404,
		`{"path":"/.paywall/wallet"}`:                         404,
		`{"path":"//evil.example/articles/1"}`:                404,
		`{"path":"http://evil.example/articles/1"}`:           400,
		`{"path":"` + s.url + `/articles/1"}`:                 400,
		`{"path":"articles/1"}`:                               400,
		`{"path":""}`:                                         400,
		`{"path":"*"}`:                                        400,
		`{"path":"/articles/1\r\nX: y"}`:                      400,
		`{"path":"/articles/%zz"}`:                            400,
		`{"path":"/articles/1","offer":"bundle"}`:             400,
		`{"path":"/articles/1","offer":"nothing"}`:            400,
		`{"path":"/articles/1","quote":"x"}`:                  400,
		`{}`:                                                  400,
		`{"path":"/articles/1","price":"0.01"}`:               400, // no such field
		`{"path":"/articles/1","id":"1"}`:                     400,
		`{"path":1}`:                                          400,
		`[]`:                                                  400,
		`{"path":"/articles/1"} {}`:                           400,
		`{"path":"/articles/1"`:                               400,
		`{"path":"` + strings.Repeat("x", maxBody) + `"}`:     413,
		`{"path":"/articles/` + strings.Repeat("x", 20) + `"`: 400,
	} {
		m.do(http.MethodPost, "/.paywall/pay", "application/json", body).wants(status)
	}
	m.do(http.MethodPost, "/.paywall/pay", "text/plain", `{"path":"/articles/1"}`).wants(http.StatusUnsupportedMediaType)
	m.do(http.MethodPost, "/.paywall/pay", "multipart/form-data; boundary=x", "").wants(http.StatusUnsupportedMediaType)
	m.submit("/.paywall/pay", url.Values{"path": {"/articles/1"}, "id": {"x"}}).wants(http.StatusBadRequest)
	s.stranger().post("/.paywall/pay", map[string]any{"path": "/articles/1"}).wants(http.StatusUnauthorized)
	m.wantsBalance("20.00")
}

// The code that opens a wallet elsewhere goes in under the name it came out.
func TestARecoveryCodeOpensItsWalletUnderEitherName(t *testing.T) {
	s := startSite(t, magazine)
	var made, again madeJSON
	s.decode([]byte(s.stranger().post("/.paywall/wallets", nil).wants(http.StatusCreated).body), &made)
	for _, name := range []string{"code", "recovery_code"} {
		s.decode([]byte(s.stranger().post("/.paywall/recover", map[string]string{name: made.RecoveryCode}).wants(http.StatusOK).body), &again)
		if again.Wallet != made.Wallet || again.Token == "" {
			t.Errorf("by %s: %+v", name, again)
		}
	}
}

// Every 402 names its price, also the one that answers a payment.
func TestAPaymentThatIsNotCoveredNamesThePrice(t *testing.T) {
	s := startSite(t, magazine)
	poor := s.machine("0.05")
	for _, c := range []struct{ path, offer, price string }{
		{"/articles/1", "view", "0.10 USD"}, {"/research/1", "bundle", "10.00 USD"}, {"/research/1", "view", "10.00 USD"},
	} {
		poor.post("/.paywall/pay", map[string]string{"path": c.path, "offer": c.offer}).wants(http.StatusPaymentRequired).
			wantsHeader("Paywall-Price", c.price).wantsHeader("Link", `</.paywall/pay>; rel="payment"`).
			wantsHeader("Cache-Control", "no-store").wantsHeader("Paywall-Charged", "")
	}
	poor.wantsBalance("0.05")
}
