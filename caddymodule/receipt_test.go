package caddymodule

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// receiptOf is the receipt's cookie in an answer; nil: there is none.
func receiptOf(c *checked) *http.Cookie {
	for _, cookie := range c.Cookies() {
		if cookie.Name == receiptCookie {
			return cookie
		}
	}
	return nil
}

// reads is a reader who has paid for a page by the button, and the answer of
// the first reading.
func (s *site) reads(path string) (reader *visitor, page *checked) {
	s.Helper()
	reader = s.browser()
	page = reader.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("1.00")}, "return": {path}}).follow()
	return reader, reader.submit("/.paywall/pay", url.Values{"quote": {page.field("quote")}, "offer": {"view"}}).follow()
}

// bearing is a stranger with that receipt alone.
func (s *site) bearing(receipt string) *visitor {
	return s.stranger().with("Cookie", receiptCookie+"="+receipt)
}

const faultySite = "paywall {\nledger test_faulty\n}"

func TestAReaderReadsAgainWithAReceiptWhileTheLedgerIsDown(t *testing.T) {
	s := startSiteWith(t, faultySite, magazine)
	reader, page := s.reads("/articles/1")
	receipt := receiptOf(page.wants(http.StatusOK))
	if receipt == nil || receipt.Path != "/articles/1" || !receipt.HttpOnly || receipt.SameSite != http.SameSiteLaxMode ||
		receipt.MaxAge < 86_000 || receipt.MaxAge > 86_400 {
		t.Fatalf("the first reading sets %+v", receipt)
	}
	mend := breakLine(t, fault{lost: "standing"})
	again := reader.get("/articles/1").wants(http.StatusOK).says("SECRET articles/1").
		wantsHeader("Cache-Control", "private").wantsHeader("Paywall-Charged", "")
	if receiptOf(again) != nil {
		t.Error("a reading with a receipt sets another")
	}
	reader.with("Range", "bytes=0-9").get("/articles/1").wants(http.StatusPartialContent)
	reader.get("/articles/2").wants(http.StatusServiceUnavailable).saysNot("SECRET")
	s.bearing(receipt.Value).get("/articles/1").wants(http.StatusOK)
	mend()
	reader.wantsBalance("0.90")
}

func TestAReceiptIsGivenOnlyForWhatNothingTakesBack(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	for range 2 {
		if receipt := receiptOf(m.get("/articles/1").wants(http.StatusOK)); receipt != nil {
			t.Errorf("a machine, which has a token, is given %v", receipt)
		}
	}
	_, gone := s.reads("/articles/missing")
	if receipt := receiptOf(gone.wants(http.StatusNotFound).wantsHeader("Paywall-Refunded", "0.10 USD")); receipt != nil {
		t.Errorf("a page that was refunded gives %v", receipt)
	}
	reader, page := s.reads("/articles/2")
	for _, method := range []string{http.MethodHead, http.MethodOptions} {
		if receipt := receiptOf(s.stranger().with("Cookie", cookieHeader(reader)).do(method, "/articles/3", "", "")); receipt != nil {
			t.Errorf("%s gives %v", method, receipt)
		}
	}
	if receiptOf(page) == nil {
		t.Error("a page that was read gives none")
	}
}

// cookieHeader is what the visitor's browser sends to the whole site.
func cookieHeader(v *visitor) string {
	at, err := url.Parse(v.url + "/")
	if err != nil {
		v.Fatal(err)
	}
	var pairs []string
	for _, cookie := range v.client.Jar.Cookies(at) {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(pairs, "; ")
}

// Attack: a receipt that was not given for this page, here, and until now.
func TestAttackReceipts(t *testing.T) {
	s := startSite(t, magazine)
	_, page := s.reads("/articles/1")
	receipt := receiptOf(page).Value
	s.bearing(receipt).get("/articles/1").wants(http.StatusOK)

	for _, path := range []string{"/articles/2", "/articles/", "/articles/1/more", "/research/1"} {
		s.bearing(receipt).get(path).wants(http.StatusPaymentRequired).saysNot("SECRET")
	}
	other := s.bearing(receipt)
	r, err := http.NewRequest(http.MethodGet, s.url+"/articles/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header, r.Host = other.header, "localhost"
	if answer := other.send(r); strings.Contains(answer.body, "SECRET") {
		t.Error("a receipt of one host opens the page of another")
	}
	raw, err := base64.RawURLEncoding.DecodeString(receipt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := append([]byte(nil), raw...)
		changed[i] ^= 1 << (i % 8)
		s.bearing(base64.RawURLEncoding.EncodeToString(changed)).get("/articles/1").wants(http.StatusPaymentRequired)
	}
	for _, text := range []string{"", "x", receipt + "AA", receipt[1:], receipt + "=", strings.Repeat("A", 4096)} {
		s.bearing(text).get("/articles/1").wants(http.StatusPaymentRequired)
	}
	five := strings.Repeat(receiptCookie+"=x; ", maxReceipts) + receiptCookie + "=" + receipt
	s.stranger().with("Cookie", five).get("/articles/1").wants(http.StatusPaymentRequired)
	s.machine("").with("Cookie", receiptCookie+"="+receipt).get("/articles/1").wants(http.StatusPaymentRequired)
}

func TestAReceiptEndsWithItsGrant(t *testing.T) {
	s := startSite(t, `
		paywall /articles/* 0.10 {
			window 2s
		}
		file_server`)
	reader, page := s.reads("/articles/1")
	receipt := receiptOf(page.wants(http.StatusOK))
	if receipt == nil {
		t.Fatal("no receipt")
	}
	s.bearing(receipt.Value).get("/articles/1").wants(http.StatusOK)
	eventually(t, "the receipt is over", func() bool {
		return s.bearing(receipt.Value).get("/articles/1").StatusCode == http.StatusPaymentRequired
	})
	reader.wantsBalance("0.90")
}

func TestTheUpstreamSeesNoReceipt(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := startProxy(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() })
	_, page := s.reads("/articles/1")
	receipt := receiptOf(page.wants(http.StatusOK))
	first := <-seen
	s.stranger().with("Cookie", "a=1; "+receiptCookie+"="+receipt.Value+"; "+securePrefix+receiptCookie+"=x").
		get("/articles/1").wants(http.StatusOK)
	again := <-seen
	if got := again.Get("Cookie"); got != "a=1" {
		t.Errorf("the upstream sees the cookies %q", got)
	}
	if again.Get(upstreamWallet) != first.Get(upstreamWallet) || first.Get(upstreamWallet) == "" ||
		again.Get(upstreamCharge) != "" || again.Get(upstreamPrice) != "" {
		t.Errorf("the upstream of a reading with a receipt is told %v, of the first reading %v", again, first)
	}
}
