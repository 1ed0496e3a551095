package caddymodule

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func TestABearerPaysOncePerWindowAndIsToldSo(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK).says("SECRET articles/1").
		wantsHeader("Paywall-Charged", "0.10 USD").wantsHeader("Paywall-Balance", "0.90 USD").
		wantsHeader("Cache-Control", "private").wantsHeader("Vary", "Accept-Encoding, Authorization, Cookie")
	m.get("/articles/1").wants(http.StatusOK).says("SECRET articles/1").
		wantsHeader("Paywall-Charged", "").wantsHeader("Paywall-Balance", "").
		wantsHeader("Cache-Control", "private").wantsHeader("Vary", "Accept-Encoding, Authorization, Cookie")
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Balance", "0.80 USD")
	m.wantsBalance("0.80")
}

func TestAPageCanBeReadAgainUntilItsWindowEnds(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10 {\nwindow 1s\n}\nfile_server")
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	eventually(t, "the window ends", func() bool {
		return m.get("/articles/1").wants(http.StatusOK).Header.Get("Paywall-Charged") == "0.10 USD"
	})
	m.wantsBalance("0.80")
}

// RFC 9457, with what a payment needs as extension members.
func TestTheChallengeForMachinesIsProblemJSON(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10 {\nbundle 10 0.90 30d\nwindow 90m\n}\nfile_server")
	page := s.stranger().get("/articles/1?a=b").wants(http.StatusPaymentRequired).
		wantsHeader("Content-Type", "application/problem+json").wantsHeader("Cache-Control", "no-store").
		wantsHeader("Paywall-Price", "0.10 USD").wantsHeader("Vary", "Accept, Accept-Language, Authorization, Cookie").
		wantsHeader("Link", `</.paywall/pay>; rel="payment"`).saysNot("SECRET")
	var c challengeJSON
	decodeStrictly(t, page.body, &c)
	if c.Type != "urn:caddy-paywall:problem:payment_required" || c.Title != "Payment Required" || c.Status != 402 ||
		c.Detail != "0.10 USD or 10 visits for 0.90 USD for /articles/1, free again for 1h30m" || c.Instance != "/articles/1?a=b" {
		t.Errorf("the problem is %+v", c)
	}
	if c.Price != (moneyJSON{"0.10", "USD"}) || c.Balance != nil || c.Quote == "" || time.Until(c.Expires) < 14*time.Minute ||
		c.Pay != "/.paywall/pay" || c.Redeem != "/.paywall/vouchers/redeem" || c.Wallets != "/.paywall/wallets" {
		t.Errorf("it asks for %+v", c)
	}
	want := []offerJSON{{Offer: "view", Price: "0.10"}, {Offer: "bundle", Price: "0.90", Visits: 10, Validity: "30d"}}
	if len(c.Offers) != 2 || c.Offers[0] != want[0] || c.Offers[1] != want[1] {
		t.Errorf("it offers %+v", c.Offers)
	}
}

func decodeStrictly(t *testing.T, text string, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func TestCurlGetsExactlyTwoLines(t *testing.T) {
	s := startSite(t, magazine)
	page := s.stranger().with("Accept", "*/*").get("/articles/1").wants(http.StatusPaymentRequired).
		wantsHeader("Content-Type", "text/plain; charset=utf-8")
	lines := strings.Split(page.body, "\n")
	if len(lines) != 3 || lines[2] != "" || lines[0] != "0.10 USD for /articles/1, free again for 24h" ||
		!strings.Contains(lines[1], "curl -H 'Authorization: Bearer <token>' "+s.url+"/articles/1") {
		t.Errorf("curl gets %q", lines)
	}
	poor := s.machine("0.05").with("Accept", "*/*").get("/articles/1").wants(http.StatusPaymentRequired)
	if lines := strings.Split(poor.body, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "Not paid: ") {
		t.Errorf("a poor curl gets %q", lines)
	}
}

func TestAPoorMachineIsToldItsBalance(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("0.05")
	var c challengeJSON
	decodeStrictly(t, m.get("/articles/1").wants(http.StatusPaymentRequired).saysNot("SECRET").body, &c)
	if c.Balance == nil || *c.Balance != (moneyJSON{"0.05", "USD"}) || c.Type != problemType("not_enough") || c.Status != 402 {
		t.Errorf("it is told %+v", c)
	}
	m.wantsBalance("0.05")
}

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

func TestWhatOnlyLooksNeverPaysAndGetsNothingOfThePage(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	for _, c := range []struct{ method, name, value string }{
		{"HEAD", "Accept", "application/json"},
		{"GET", "Sec-Purpose", "prefetch"},
		{"GET", "Sec-Purpose", "prefetch;prerender"},
		{"GET", "Purpose", "prefetch"},
		{"GET", "X-Moz", "prefetch"},
	} {
		m.with(c.name, c.value).do(c.method, "/articles/1", "", "").
			wants(http.StatusPaymentRequired).wantsHeader("Paywall-Price", "0.10 USD").
			wantsHeader("Etag", "").wantsHeader("Last-Modified", "").saysNot("SECRET")
	}
	m.wantsBalance("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	m.do(http.MethodHead, "/articles/1", "", "").wants(http.StatusOK)
	m.with("Sec-Purpose", "prefetch").get("/articles/1").wants(http.StatusOK).says("SECRET")
	m.wantsBalance("0.90")
}

func TestAPreflightReachesTheUpstreamWithoutPayingOrCredentials(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := startSite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		seen <- r.Header.Clone()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, err := w.Write([]byte(secretBody))
		return err
	}))
	m := s.machine("1.00")
	token := m.header.Get("Authorization")
	m.with("Origin", "https://a.example").with("Access-Control-Request-Method", "GET").with("Cookie", "a=1; paywall="+token).
		do(http.MethodOptions, "/articles/1", "", "").
		wants(http.StatusOK).wantsHeader("Access-Control-Allow-Origin", "*").saysNot("SECRET")
	if h := <-seen; h.Get("Authorization") != "" || strings.Contains(h.Get("Cookie"), "paywall") {
		t.Errorf("the upstream sees %v", h)
	}
	m.wantsBalance("1.00")
}

func TestADownloadResumedInThreePiecesIsOneCharge(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	whole := ""
	for _, piece := range []string{"bytes=0-499", "bytes=500-999", "bytes=1000-"} {
		whole += m.with("Range", piece).get("/articles/1").wants(http.StatusPartialContent).body
	}
	if whole != m.get("/articles/1").wants(http.StatusOK).body {
		t.Error("the pieces are not the page")
	}
	m.with("Range", "bytes=999999-").get("/articles/2").wants(http.StatusRequestedRangeNotSatisfiable)
	m.wantsBalance("0.90")
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

func TestTheEndpointsTakeTheirMethodAndNoOther(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	for path, endpoint := range endpoints {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
			if method != endpoint.method {
				m.do(method, path, "", "").wants(http.StatusMethodNotAllowed).wantsHeader("Allow", endpoint.method).
					wantsHeader("Cache-Control", "no-store")
			}
		}
	}
	m.get("/.paywall/nothing").wants(http.StatusNotFound)
	m.get("/.paywall/").wants(http.StatusNotFound)
	m.do(http.MethodHead, "/.paywall/prices", "", "").wants(http.StatusOK)
	m.wantsBalance("1.00")
}

func TestTheEntriesAreListedPageByPage(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("5.00")
	for range 12 {
		m.post("/.paywall/vouchers/redeem", map[string]any{"code": s.voucher("0.01")}).wants(http.StatusOK)
	}
	for _, path := range []string{"/articles/1", "/articles/2", "/articles/3", "/articles/1"} {
		m.get(path).wants(http.StatusOK)
	}
	for range 6 {
		m.post("/.paywall/wallet/recovery", nil).wants(http.StatusOK)
	}
	var all []entryJSON
	var list entriesJSON
	decodeStrictly(t, m.get("/.paywall/wallet/entries").wants(http.StatusOK).body, &list)
	if len(list.Entries) != entriesPage {
		t.Fatalf("the first page has %d entries", len(list.Entries))
	}
	for {
		all = append(all, list.Entries...)
		if list.Next == "" {
			break
		}
		next := list.Next
		list = entriesJSON{}
		decodeStrictly(t, m.get("/.paywall/wallet/entries?cursor="+url.QueryEscape(next)).wants(http.StatusOK).body, &list)
	}
	if len(all) != 1+1+12+3+6 || all[0].Kind != "rekey" || all[len(all)-1].Kind != "create" ||
		all[6].Kind != "charge" || all[6].Amount != "-0.10" || all[6].Path != "/articles/3" || all[6].Balance != "4.82" {
		t.Errorf("%d entries: %+v", len(all), all)
	}
	m.get("/.paywall/wallet/entries?cursor=forged").wants(http.StatusBadRequest)
	s.machine("").get("/.paywall/wallet/entries?cursor=" + url.QueryEscape(all[0].ID.String())).wants(http.StatusBadRequest)
}

func TestThePricesAreListedForEverybody(t *testing.T) {
	s := startSite(t, magazine)
	page := s.stranger().with("Authorization", "Bearer nonsense").get("/.paywall/prices").wants(http.StatusOK).
		wantsHeader("Cache-Control", "public, max-age=60").wantsHeader("Access-Control-Allow-Origin", "*")
	var prices pricesJSON
	decodeStrictly(t, page.body, &prices)
	if prices.Currency != "USD" || len(prices.Rules) != 2 {
		t.Fatalf("the prices are %+v", prices)
	}
	for _, rule := range prices.Rules {
		want := offerJSON{Offer: "view", Price: "0.10"}
		if rule.Rule == "/research/*" {
			want = offerJSON{Offer: "bundle", Price: "10.00", Visits: 10}
		}
		if len(rule.Offers) != 1 || rule.Offers[0] != want || rule.Window != "24h" || len(rule.Paths) != 1 || rule.Paths[0] != rule.Rule {
			t.Errorf("the rule is %+v", rule)
		}
	}
}

// Others verify a token by the key set alone (RFC 7517, RFC 8037).
func TestATokenIsVerifiedWithThePublishedKeys(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Alg, Use, D string }
	}
	m.decode([]byte(s.stranger().get("/.paywall/jwks.json").wants(http.StatusOK).
		wantsHeader("Content-Type", "application/jwk-set+json").body), &set)
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(strings.TrimPrefix(m.header.Get("Authorization"), "Bearer "), claims, func(token *jwt.Token) (any, error) {
		for _, key := range set.Keys {
			if key.D != "" || key.Kty != "OKP" || key.Crv != "Ed25519" || key.Alg != "EdDSA" || key.Use != "sig" {
				t.Errorf("the key is %+v", key)
			}
			if key.Kid == token.Header["kid"] {
				public, err := base64.RawURLEncoding.DecodeString(key.X)
				return ed25519.PublicKey(public), err
			}
		}
		return nil, jwt.ErrTokenUnverifiable
	}, jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience("paywall"), jwt.WithIssuer("caddy-paywall"), jwt.WithExpirationRequired())
	if err != nil || !token.Valid || claims["sub"] != m.id() {
		t.Errorf("the token says %v, %v", claims, err)
	}
}
