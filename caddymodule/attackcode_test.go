package caddymodule

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// wrongVoucher and wrongRecovery are codes with good check symbols that nobody
// has.
func wrongVoucher(t *testing.T) string {
	t.Helper()
	code, err := wallet.NewVoucherCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return code.String()
}

func wrongRecovery(t *testing.T) string {
	t.Helper()
	code, err := wallet.NewRecoveryCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return code.String()
}

// spentTries checks an answer that refuses any more tries.
func spentTries(c *checked) {
	c.Helper()
	c.wants(http.StatusTooManyRequests)
	if wait, err := strconv.Atoi(c.Header.Get("Retry-After")); err != nil || wait < 1 || wait > int(wrongCodePeriod/time.Second) {
		c.Errorf("Retry-After is %q", c.Header.Get("Retry-After"))
	}
}

// The attack: guessing vouchers from one address, with a new wallet each time.
// After ten wrong ones not even a right one is looked up.
func TestAttackVoucherGuessingFromOneAddress(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("")
	good := s.voucher("1.00")
	for range maxWrongCodes {
		s.stranger().post("/.paywall/vouchers/redeem", map[string]any{"code": wrongVoucher(t)}).wants(http.StatusUnprocessableEntity)
	}
	spentTries(s.stranger().post("/.paywall/vouchers/redeem", map[string]any{"code": good}))
	spentTries(m.post("/.paywall/vouchers/redeem", map[string]any{"code": good}))
	spentTries(s.stranger().post("/.paywall/recover", map[string]any{"code": wrongRecovery(t)}))
	page := s.browser().submit("/.paywall/vouchers/redeem", url.Values{"code": {good}})
	spentTries(page.saysNot(good))
	m.wantsBalance("0.00")
}

// proxied is a site that believes its loopback clients' X-Forwarded-For, so
// that one test can come from many addresses.
func proxied(t *testing.T) *site {
	t.Helper()
	s := startSite(t, "")
	if err := s.tryLoad("servers {\ntrusted_proxies static 127.0.0.1/32\n}", magazine); err != nil {
		t.Fatal(err)
	}
	return s
}

// The attack: guessing with one wallet from many addresses.
func TestAttackVoucherGuessingWithOneWallet(t *testing.T) {
	s := proxied(t)
	m := s.machine("")
	from := func(n int) *visitor { return m.with("X-Forwarded-For", "192.0.2."+strconv.Itoa(n)) }
	for n := range maxWrongCodes {
		from(n).post("/.paywall/vouchers/redeem", map[string]any{"code": wrongVoucher(t)}).wants(http.StatusUnprocessableEntity)
	}
	good := s.voucher("1.00")
	spentTries(from(100).post("/.paywall/vouchers/redeem", map[string]any{"code": good}))
	s.machine("").with("X-Forwarded-For", "192.0.2.100").post("/.paywall/vouchers/redeem", map[string]any{"code": good}).wants(http.StatusOK)
}

// The attack: guessing from the many addresses of one subscriber's IPv6 prefix.
func TestAttackVoucherGuessingFromOnePrefix(t *testing.T) {
	s := proxied(t)
	from := func(address string) *visitor { return s.stranger().with("X-Forwarded-For", address) }
	for n := range maxWrongCodes {
		from("2001:db8:1:2::"+strconv.Itoa(n+1)).post("/.paywall/recover", map[string]any{"code": wrongRecovery(t)}).wants(http.StatusUnprocessableEntity)
	}
	spentTries(from("2001:db8:1:2:ffff::1").post("/.paywall/recover", map[string]any{"code": wrongRecovery(t)}))
	from("2001:db8:1:3::1").post("/.paywall/recover", map[string]any{"code": wrongRecovery(t)}).wants(http.StatusUnprocessableEntity)
}

// The attack: opening a wallet by guessing its recovery code, or a code of
// another kind.
func TestAttackRecoveryByGuess(t *testing.T) {
	s := startSite(t, magazine)
	v := s.stranger()
	voucher := s.voucher("1.00")
	for code, status := range map[string]int{
		wrongRecovery(t): 422, voucher: 422, "": 422, "x": 422, strings.Repeat("0", 1000): 422,
		"0000-0000-0000-0000-0000": 422, s.machine("").id(): 422,
	} {
		v.post("/.paywall/recover", map[string]any{"code": code}).wants(status).saysNot("token")
	}
	v.post("/.paywall/vouchers/redeem", map[string]any{"code": voucher}).wants(http.StatusOK)
}

// The attack: learning from the answer which codes exist. Unknown and void
// have the same status, headers and words.
func TestAttackTellingAVoidVoucherFromAnUnknownOne(t *testing.T) {
	s := startSite(t, magazine)
	for _, v := range []*visitor{s.stranger(), s.machine(""), s.browser()} {
		void := s.voucher("1.00")
		s.operator("voucher", "void", void)
		redeem := func(code string) *checked {
			if v.client.Jar != nil {
				return v.submit("/.paywall/vouchers/redeem", url.Values{"code": {code}})
			}
			return v.post("/.paywall/vouchers/redeem", map[string]any{"code": code})
		}
		a, b := redeem(void), redeem(wrongVoucher(t))
		a.Header.Del("Date")
		b.Header.Del("Date")
		if a.StatusCode != b.StatusCode || a.body != b.body || !sameHeader(a.Header, b.Header) || a.StatusCode == http.StatusOK {
			t.Errorf("void: %d %v %s\nunknown: %d %v %s", a.StatusCode, a.Header, a.body, b.StatusCode, b.Header, b.body)
		}
	}
	if wallets := s.operator("wallet", "list"); strings.Count(wallets, "\n") != 2 {
		t.Errorf("a wrong voucher has made a wallet:\n%s", wallets)
	}
}

func sameHeader(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if strings.Join(a[name], "\n") != strings.Join(b[name], "\n") {
			return false
		}
	}
	return true
}

// The attack: redeeming one voucher twice.
func TestAttackUsedVoucher(t *testing.T) {
	s := startSite(t, magazine)
	code := s.voucher("1.00")
	m, other := s.machine(""), s.machine("")
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": code}).wants(http.StatusOK)
	for _, v := range []*visitor{m, other, s.stranger()} {
		v.post("/.paywall/vouchers/redeem", map[string]any{"code": code}).wants(http.StatusConflict)
		v.post("/.paywall/vouchers/redeem", map[string]any{"code": strings.ToLower(strings.ReplaceAll(code, "-", " "))}).wants(http.StatusConflict)
	}
	m.wantsBalance("1.00")
	other.wantsBalance("0.00")
}

// The attack: paying by a quote that says what the payer likes.
func TestAttackForgedQuote(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	var c challengeJSON
	m.decode([]byte(s.stranger().get("/articles/1").body), &c)
	body, seal, _ := strings.Cut(c.Quote, ".")
	another, err := wallet.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := wallet.ParseSecret(s.kept(secretFile))
	if err != nil {
		t.Fatal(err)
	}
	free := func(key wallet.Key, made time.Time) string {
		id, err := wallet.NewOpID(made, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return meter.NewQuote(id, meter.Rule{Name: "x", Price: 1, Window: time.Hour}, "127.0.0.1/articles/1", "", made).Seal(key)
	}
	for attack, q := range map[string]struct {
		quote  string
		status int
	}{
		"nothing":              {"", 400},
		"no seal":              {body, 400},
		"an empty seal":        {body + ".", 400},
		"another body":         {"e30." + seal, 400},
		"an altered seal":      {body + "." + strings.Repeat("A", len(seal)), 400},
		"another site's key":   {free(another.Derive(quoteLabel), time.Now()), 400},
		"a key of another use": {free(ours.Derive(wallet.LabelVoucher), time.Now()), 400},
		"expired":              {free(ours.Derive(quoteLabel), time.Now().Add(-meter.QuoteValidity-time.Second)), 409},
		"oversized":            {strings.Repeat("A", meter.MaxQuote+1), 400},
	} {
		for _, offer := range []string{"", "view", "bundle"} {
			if got := m.post("/.paywall/pay", map[string]any{"quote": q.quote, "offer": offer}); got.StatusCode != q.status {
				t.Errorf("%s: %d %s", attack, got.StatusCode, got.body)
			}
		}
	}
	m.wantsBalance("1.00")
}

// The attack: an amount that a parser rounds, wraps or reads as something else.
func TestAttackAmounts(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	for _, amount := range []string{
		"-1", "-0.01", "0", "0.0000001", "1e3", "1E-6", "NaN", "Infinity", "0x10", "1,50", " 1", "+1", ".5", "1.",
		"9007199254.740992", "99999999999999999999", strings.Repeat("9", 1000), "١",
	} {
		s.stranger().post("/.paywall/wallets", map[string]any{"max_price": amount}).wants(http.StatusBadRequest).saysNot("token")
		for _, args := range [][]string{
			{"voucher", "create", "--value=" + amount}, {"wallet", "credit", "--", m.id(), amount},
		} {
			if out, err := s.tryOperator(args...); err == nil {
				t.Errorf("%v prints %s", args, out)
			}
		}
	}
	for _, body := range []string{`{"max_price":1}`, `{"max_price":0.1}`, `{"max_price":null}x`, `{"max_price":["1"]}`} {
		s.stranger().do(http.MethodPost, "/.paywall/wallets", "application/json", body).wants(http.StatusBadRequest)
	}
	m.wantsBalance("1.00")
	if vouchers := s.operator("voucher", "list"); strings.Count(vouchers, "\n") != 2 {
		t.Errorf("the vouchers are\n%s", vouchers)
	}
}
