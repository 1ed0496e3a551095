package caddymodule

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// unpaidAllowed is the limit of the sites below: so many at once, and no more
// while a test runs.
const unpaidAllowed = 5

// limitedSite lets an address send five requests without payment, and believes
// what its clients say of their address.
func limitedSite(t *testing.T) *site {
	t.Helper()
	s := startSite(t, "")
	s.reloadLimited()
	return s
}

func (s *site) reloadLimited() {
	s.Helper()
	options := "servers {\ntrusted_proxies static 127.0.0.1/32\n}\npaywall {\nunpaid_limit " + strconv.Itoa(unpaidAllowed) + " 1h\n}"
	if err := s.tryLoad(options, magazine); err != nil {
		s.Fatal(err)
	}
}

// at is the visitor at an address.
func (v *visitor) at(address string) *visitor { return v.with("X-Forwarded-For", address) }

// neighbour is the address that the tests flood from.
const neighbour = "192.0.2.1"

// spendUnpaid uses up what the neighbours may send without payment.
func (s *site) spendUnpaid() {
	s.Helper()
	for range unpaidAllowed {
		s.stranger().at(neighbour).get("/articles/1").wants(http.StatusPaymentRequired)
	}
}

func TestAnAddressThatNeverPaysIsToldToWait(t *testing.T) {
	s := limitedSite(t)
	s.spendUnpaid()
	for accept, media := range map[string]string{
		"application/json": "application/problem+json", "": "text/plain; charset=utf-8", "text/html": "text/plain; charset=utf-8",
	} {
		for _, path := range []string{"/articles/1", "/research/3"} {
			refused := s.stranger().at(neighbour).with("Accept", accept).with("Accept-Language", "it").get(path).wants(http.StatusTooManyRequests)
			refused.wantsHeader("Content-Type", media).wantsHeader("Cache-Control", "no-store").wantsHeader("Paywall-Price", "")
			refused.says(page.Text("it", page.Limited)).saysNot("SECRET")
			if wait, err := strconv.Atoi(refused.Header.Get("Retry-After")); err != nil || wait < 1 || wait > 3600/unpaidAllowed {
				t.Errorf("Retry-After is %q", refused.Header.Get("Retry-After"))
			}
		}
	}
	s.browser().at(neighbour).get("/.paywall/wallet").wants(http.StatusTooManyRequests)
	s.stranger().at("192.0.2.2").get("/articles/1").wants(http.StatusPaymentRequired)
	s.stranger().at(neighbour).get("/").wants(http.StatusOK) // a free page
	if text := s.metrics(); !strings.Contains(text, `caddy_paywall_answers_total{outcome="limited",rule="/articles/*"}`) {
		t.Errorf("no metric tells of it:\n%.2000s", text)
	}
	s.reloadLimited() // forgives
	s.stranger().at(neighbour).get("/articles/1").wants(http.StatusPaymentRequired)
}

// metrics is what a scraper reads.
func (s *site) metrics() string {
	s.Helper()
	answer, err := http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// Whoever pays does not suffer from what others at the same address do.
func TestWhoPaysIsNeverLimitedByNeighbours(t *testing.T) {
	s := limitedSite(t)
	m, r := s.machine("1.00").at(neighbour), s.browser().at(neighbour)
	r.submit(page.RedeemPath, url.Values{"code": {s.voucher("1.00")}, "return": {"/articles/1"}}).wants(http.StatusSeeOther)
	s.reloadLimited() // so that nobody's token has been verified yet
	s.spendUnpaid()
	s.stranger().at(neighbour).get("/articles/1").wants(http.StatusTooManyRequests)

	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	for range 2 * unpaidAllowed {
		m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	}
	asked := r.get("/articles/2").wants(http.StatusPaymentRequired) // it counts for the reader's wallet
	r.submit(page.PayPath, url.Values{"quote": {asked.field("quote")}, "offer": {"view"}}).follow().wants(http.StatusOK).says("SECRET articles/2")
	for range 2 * unpaidAllowed { // by the receipt
		r.get("/articles/2").wants(http.StatusOK)
	}
	m.post(page.RedeemPath, map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK)
	m.wantsBalance("1.90")
}

// A wallet that is asked to pay and never does is counted by itself, wherever
// it asks from.
func TestAWalletThatNeverPaysIsToldToWait(t *testing.T) {
	s := limitedSite(t)
	m := s.machine("")
	for i := range unpaidAllowed {
		m.at("192.0.2." + strconv.Itoa(i)).get("/articles/1").wants(http.StatusPaymentRequired)
	}
	m.at("192.0.2.100").get("/articles/1").wants(http.StatusTooManyRequests)
	s.machine("").at("192.0.2.100").get("/articles/1").wants(http.StatusPaymentRequired)
	m.post(page.RedeemPath, map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK)
	m.get("/articles/1").wants(http.StatusOK)
}

// The attack: keeping the server busy with signatures.
func TestAttackForgedTokensFromOneAddress(t *testing.T) {
	s := limitedSite(t)
	known, late := s.machine("1.00").at(neighbour), s.machine("1.00").at(neighbour)
	good := late.header.Get("Authorization")
	lastRing.Store(nil)
	s.reloadLimited() // as after a restart, when no token is known to be good
	known.get("/articles/1").wants(http.StatusOK)
	for i := range unpaidAllowed {
		forged := s.stranger().at(neighbour).with("Authorization", good[:len(good)-9]+"AAAAAAAA"+strconv.Itoa(i))
		forged.get("/articles/1").wants(http.StatusUnauthorized)
	}
	s.stranger().at(neighbour).with("Authorization", good[:len(good)-9]+"AAAAAAAA9").get("/articles/1").wants(http.StatusTooManyRequests)
	s.stranger().at(neighbour).with("Cookie", "paywall="+strings.TrimPrefix(good, "Bearer ")+"x").get("/articles/1").wants(http.StatusTooManyRequests)
	s.stranger().at(neighbour).get("/articles/1?x=" + strings.TrimPrefix(good, "Bearer ") + "x").wants(http.StatusTooManyRequests)
	late.get("/articles/1").wants(http.StatusTooManyRequests) // nobody can tell it from a forged one without the signature
	late.at("192.0.2.2").get("/articles/1").wants(http.StatusOK)
	late.get("/articles/2").wants(http.StatusOK) // now it is known
	known.get("/articles/2").wants(http.StatusOK)
}

// The attack: many tokens in one query, each of which costs a signature. The
// first few are looked at.
func TestAttackAQueryFullOfTokens(t *testing.T) {
	s := startSite(t, magazine)
	token := strings.TrimPrefix(s.machine("").header.Get("Authorization"), "Bearer ")
	forged := func(n int) string { return strings.Repeat("x=eyJ.eyJ.x&", n) }
	s.stranger().get("/articles/1?" + forged(maxQueryTokens-1) + "x=" + token).wants(http.StatusBadRequest)
	s.stranger().get("/articles/1?" + forged(maxQueryTokens) + "x=" + token).wants(http.StatusPaymentRequired)
}

func TestFailedFormsCountAsUnpaid(t *testing.T) {
	s := limitedSite(t)
	for _, send := range []func(*visitor) *checked{
		func(v *visitor) *checked { return v.post(page.PayPath, map[string]any{"quote": "x"}) },
		func(v *visitor) *checked { return v.post(page.RecoverPath, map[string]any{"code": "x"}) },
		func(v *visitor) *checked { return v.get("/.paywall/wallet") },
		func(v *visitor) *checked { return v.get("/.paywall/nothing") },
		func(v *visitor) *checked { return v.do(http.MethodPut, page.PayPath, "", "") },
	} {
		if got := send(s.stranger().at(neighbour)); got.StatusCode < 400 || got.StatusCode == http.StatusTooManyRequests {
			t.Fatalf("%s answers %d", got.Request.URL, got.StatusCode)
		}
	}
	s.stranger().at(neighbour).get("/.paywall/nothing").wants(http.StatusTooManyRequests)
	s.stranger().at(neighbour).get("/articles/1").wants(http.StatusTooManyRequests)
	s.stranger().at(neighbour).get(pricesPath).wants(http.StatusOK)
}

// A proxy on this machine that Caddy does not believe must not have all the
// world share one allowance.
func TestThisMachineItselfIsNotLimited(t *testing.T) {
	s := startSite(t, "")
	if err := s.tryLoad("paywall {\nunpaid_limit 2 1h\n}", magazine); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		s.stranger().at("192.0.2." + strconv.Itoa(i)).get("/articles/1").wants(http.StatusPaymentRequired)
		s.stranger().get("/articles/1").wants(http.StatusPaymentRequired)
	}
}

// The attack: telling a proxy that is believed that this machine asks.
func TestAttackPassingForThisMachine(t *testing.T) {
	s := limitedSite(t)
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.9"} {
		for range unpaidAllowed {
			s.stranger().at(address).get("/articles/1").wants(http.StatusPaymentRequired)
		}
		s.stranger().at(address).get("/articles/1").wants(http.StatusTooManyRequests)
	}
}

func TestTheLimitCanBeTurnedOff(t *testing.T) {
	s := startSite(t, "")
	if err := s.tryLoad("servers {\ntrusted_proxies static 127.0.0.1/32\n}\npaywall {\nunpaid_limit off\n}", magazine); err != nil {
		t.Fatal(err)
	}
	if app := runningApp(t); app.limits.unpaid != nil || app.limits.forged != nil {
		t.Error("there is a limit")
	}
	s.stranger().at(neighbour).get("/articles/1").wants(http.StatusPaymentRequired)
	s.stranger().at(neighbour).with("Authorization", "Bearer eyJ.x.y").get("/articles/1").wants(http.StatusUnauthorized)
}

func TestALimitInJSONIsChecked(t *testing.T) {
	for limit, want := range map[UnpaidLimit]string{
		{}:                                       "",
		{Requests: 7}:                            "",
		{Off: true}:                              "",
		{Requests: -1}:                           "must be 1 to",
		{Requests: 2_000_000_000}:                "must be 1 to",
		{Period: 1}:                              "must be 1s to",
		{Period: caddy.Duration(25 * time.Hour)}: "must be 1s to",
		{Off: true, Requests: 7}:                 "keep one",
	} {
		err := limit.settle()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: error %v, want %q", limit, err, want)
		}
	}
	l := UnpaidLimit{}
	if err := l.settle(); err != nil || l != (UnpaidLimit{Requests: defaultUnpaid, Period: defaultUnpaidPeriod}) {
		t.Errorf("the default is %+v, %v", l, err)
	}
}

func TestAWrongLimitIsRefusedWithItsCure(t *testing.T) {
	for option, want := range map[string]string{
		"unpaid_limit":                               "needs a number",
		"unpaid_limit many 1m":                       "write unpaid_limit 1200 1m, or unpaid_limit off",
		"unpaid_limit 0 1m":                          "write unpaid_limit 1200 1m, or unpaid_limit off",
		"unpaid_limit 5":                             "needs a number",
		"unpaid_limit 5 soon":                        "is no duration",
		"unpaid_limit 5 1ms":                         "must be 1s to 24h",
		"unpaid_limit 5 1m 2":                        "needs a number",
		"unpaid_limit off 1m":                        "needs a number",
		"unpaid_limit 5 1m\nunpaid_limit off":        "given twice",
		"unpaid_limit 99999999999999999999999999 1m": "is no number of requests",
	} {
		_, err := adapt("{\npaywall {\n" + option + "\n}\n}\nhttp://a.example {\npaywall /a 0.10\n}")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Caddyfile:") {
			t.Errorf("%q says %v, want %q and the line", option, err, want)
		}
	}
}
