package caddymodule

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestAReaderPaysTenCentsForAPageAndReadsItAgainForFree(t *testing.T) {
	startSite(t, magazine).tellsTheReadersStory()
}

// tellsTheReadersStory is the story of a reader of the magazine, from a stranger to
// a reload for free.
func (s *site) tellsTheReadersStory() {
	s.Helper()
	t := s.T
	reader := s.browser()

	page := reader.get("/articles/1").wants(http.StatusPaymentRequired).
		wantsHeader("Cache-Control", "no-store").wantsHeader("Paywall-Price", "0.10 USD").
		wantsHeader("Link", `</.paywall/pay>; rel="payment"`).
		says("The Lamp", "A keeper counts ships.", "$0.10").saysNot("SECRET")
	for _, name := range []string{"Accept", "Cookie", "Authorization"} {
		if !strings.Contains(strings.Join(page.Header.Values("Vary"), ", "), name) {
			t.Errorf("Vary is %v, without %s", page.Header.Values("Vary"), name)
		}
	}

	page = reader.submit("/.paywall/vouchers/redeem", url.Values{
		"code": {strings.ToLower(s.voucher("5.00"))}, "return": {page.field("return")},
	}).follow()
	page.wants(http.StatusPaymentRequired).says("Pay $0.10 and read", "$5.00", "$4.90")
	recovery := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){4}`).FindString(page.body)
	if recovery == "" {
		t.Fatalf("no recovery code on the page:\n%s", page.body)
	}
	reader.get("/articles/1").wants(http.StatusPaymentRequired).saysNot(recovery)

	paid := reader.submit("/.paywall/pay", url.Values{"quote": {page.field("quote")}, "offer": {"view"}})
	paid.wantsHeader("Paywall-Charged", "0.10 USD").wantsHeader("Paywall-Balance", "4.90 USD")
	read := paid.follow().wants(http.StatusOK).says("SECRET articles/1").
		wantsHeader("Cache-Control", "private").wantsHeader("Paywall-Charged", "")

	reader.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	reader.with("Range", "bytes=0-9").get("/articles/1").wants(http.StatusPartialContent)
	reader.with("If-None-Match", read.Header.Get("Etag")).get("/articles/1").wants(http.StatusNotModified)
	reader.get("/articles/1?utm_source=mail").wants(http.StatusOK)
	reader.get("//articles/1").wants(http.StatusOK)
	reader.wantsBalance("4.90")

	elsewhere := s.browser()
	elsewhere.get("/articles/1").wants(http.StatusPaymentRequired)
	elsewhere.submit("/.paywall/recover", url.Values{"code": {recovery}, "return": {"/articles/1"}}).
		follow().wants(http.StatusOK).says("SECRET articles/1")

	reader.get("/.paywall/wallet").wants(http.StatusOK).says("$4.90", "/articles/1")
}

func TestTheFreePagesStayFree(t *testing.T) {
	s := startSite(t, magazine)
	s.browser().get("/").wants(http.StatusOK).says("SECRET index.html").wantsHeader("Paywall-Price", "")
}

func TestABundleTakesOneVisitForEachPageAndSaysHowManyAreLeft(t *testing.T) {
	startSite(t, magazine).tellsTheSubscribersStory()
}

// tellsTheSubscribersStory is the story of a reader who buys ten letters.
func (s *site) tellsTheSubscribersStory() {
	s.Helper()
	reader := s.browser()
	page := reader.get("/research/1").wants(http.StatusPaymentRequired).
		wantsHeader("Paywall-Price", "10.00 USD").says("The Letter", "$10.00")
	page = reader.submit("/.paywall/vouchers/redeem", url.Values{
		"code": {s.voucher("12.00")}, "return": {page.field("return")},
	}).follow()
	reader.submit("/.paywall/pay", url.Values{"quote": {page.field("quote")}, "offer": {"bundle"}}).
		wantsHeader("Paywall-Charged", "10.00 USD").
		follow().wants(http.StatusOK).wantsHeader("Paywall-Visits", "9").says("SECRET research/1")
	reader.get("/research/1").wants(http.StatusOK).wantsHeader("Paywall-Visits", "")
	reader.with("Early-Data", "1").get("/research/2").wants(http.StatusPaymentRequired).saysNot("SECRET")
	reader.get("/research/2").wants(http.StatusOK).wantsHeader("Paywall-Visits", "8")
	reader.get("/.paywall/wallet").says("8")
	reader.wantsBalance("2.00")
	reader.get("/articles/1").wants(http.StatusPaymentRequired) // another rule's page
}

// Paying by the button comes before the page is known to exist.
func TestAPageThatDoesNotExistIsRefunded(t *testing.T) {
	s := startSite(t, magazine)
	reader := s.browser()
	reader.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther)
	page := reader.get("/articles/404").wants(http.StatusPaymentRequired)
	reader.submit("/.paywall/pay", url.Values{"quote": {page.field("quote")}}).
		follow().wants(http.StatusNotFound).wantsHeader("Paywall-Refunded", "0.10 USD")
	reader.wantsBalance("1.00")
	reader.get("/articles/404").wants(http.StatusPaymentRequired)
}

func TestADoubleClickIsOneCharge(t *testing.T) {
	s := startSite(t, magazine)
	reader := s.browser()
	reader.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther)
	form := url.Values{"quote": {reader.get("/articles/1").field("quote")}, "offer": {"view"}}
	reader.submit("/.paywall/pay", form).wantsHeader("Paywall-Charged", "0.10 USD")
	reader.submit("/.paywall/pay", form).wants(http.StatusSeeOther).wantsHeader("Paywall-Charged", "")
	reader.wantsBalance("0.90")
}
