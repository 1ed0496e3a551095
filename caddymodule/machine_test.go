package caddymodule

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
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
