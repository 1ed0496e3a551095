package page

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// challenge is the sample of a name in English.
func challenge(t *testing.T, name string) Challenge {
	t.Helper()
	c, ok := samples(t, "en")["challenge-"+name].(Challenge)
	if !ok {
		t.Fatalf("no sample %q", name)
	}
	return c
}

// buttons are the words on the buttons that post to a path.
func buttons(t *testing.T, text, path string) []string {
	t.Helper()
	var words []string
	for _, form := range all(t, text, "form") {
		if action, _, _ := strings.Cut(attribute(form, "action"), "?"); action != path {
			continue
		}
		for n := range form.Descendants() {
			if n.Data == "button" {
				words = append(words, content(n))
			}
		}
	}
	return words
}

// field is the value of the first field of a name that posts to a path.
func field(t *testing.T, text, path, name string) string {
	t.Helper()
	for _, form := range all(t, text, "form") {
		if action, _, _ := strings.Cut(attribute(form, "action"), "?"); action != path {
			continue
		}
		for n := range form.Descendants() {
			if attribute(n, "name") == name {
				return attribute(n, "value")
			}
		}
	}
	t.Fatalf("no field %q posts to %s", name, path)
	return ""
}

// status is what the page announces of the balance.
func status(t *testing.T, text string) string {
	t.Helper()
	for _, n := range all(t, text, "p") {
		if attribute(n, "role") == "status" {
			return content(n)
		}
	}
	t.Fatal("nothing has role=status")
	return ""
}

func TestAReaderWithMoneySeesPriceBalanceAndOneButton(t *testing.T) {
	text := rendered(t, challenge(t, "rich"))
	if got := buttons(t, text, PayPath); !slices.Equal(got, []string{"Pay $0.10 and read"}) {
		t.Errorf("pay buttons are %q", got)
	}
	if got, want := status(t, text), "In your wallet: $5.00 now, $4.90 after."; got != want {
		t.Errorf("balance reads %q, want %q", got, want)
	}
	if got := content(all(t, text, "strong")[0]); got != "$0.10" {
		t.Errorf("the large price reads %q", got)
	}
	if got := field(t, text, PayPath, "quote"); got != "q.u-o_te" {
		t.Errorf("the quote comes back as %q", got)
	}
	if got := field(t, text, PayPath, "offer"); got != "view" {
		t.Errorf("the offer comes back as %q", got)
	}
	if !strings.Contains(text, "yours for 24 hours: reloading") {
		t.Error("nothing says that reloading is free")
	}
}

func TestAStrangerGetsTheVoucherFormAndNoPayButton(t *testing.T) {
	for _, name := range []string{"stranger", "short", "bare"} {
		text := rendered(t, challenge(t, name))
		if got := buttons(t, text, PayPath); len(got) != 0 {
			t.Errorf("%s: pay buttons %q for somebody who cannot pay", name, got)
		}
		if got := buttons(t, text, RedeemPath); !slices.Equal(got, []string{"Redeem"}) {
			t.Errorf("%s: voucher buttons are %q", name, got)
		}
		if summaries := all(t, text, "summary"); len(summaries) != 1 {
			t.Errorf("%s: %d things are folded away, want only the wallet elsewhere", name, len(summaries))
		}
	}
	if got := field(t, rendered(t, challenge(t, "stranger")), RedeemPath, "return"); got != "/articles/1" {
		t.Errorf("redeeming leads to %q", got)
	}
}

func TestAReaderWithTooLittleLearnsWhatIsMissing(t *testing.T) {
	if got, want := status(t, rendered(t, challenge(t, "short"))), "In your wallet: $0.04. You need $0.06 more."; got != want {
		t.Errorf("balance reads %q, want %q", got, want)
	}
}

// TestAWalletThatMayNotSpendIsNotAskedForMore: frozen, the balance suffices
// and nothing is affordable.
func TestAWalletThatMayNotSpendIsNotAskedForMore(t *testing.T) {
	c := challenge(t, "rich")
	c.Offers = []Offer{{Name: "view", Price: cents(10)}}
	if got, want := status(t, rendered(t, c)), "In your wallet: $5.00."; got != want {
		t.Errorf("balance reads %q, want %q", got, want)
	}
}

func TestBundlesAreButtonsBesideTheView(t *testing.T) {
	text := rendered(t, challenge(t, "choice"))
	want := []string{"Pay $0.10 and read", "5 visits for $0.45", "10 visits for $10.00"}
	if got := buttons(t, text, PayPath); !slices.Equal(got, want) {
		t.Errorf("pay buttons are %q, want %q", got, want)
	}
	if !strings.Contains(text, "To use within 90 days.") {
		t.Error("the bundle does not say when its visits end")
	}
}

func TestWhereOnlyBundlesAreSoldTheFirstIsTheLargeOne(t *testing.T) {
	text := rendered(t, challenge(t, "bundles"))
	want := []string{"Buy 10 visits for $10.00", "5 visits for $0.45"}
	if got := buttons(t, text, PayPath); !slices.Equal(got, want) {
		t.Errorf("pay buttons are %q, want %q", got, want)
	}
	if got := field(t, text, PayPath, "offer"); got != "bundle-10" {
		t.Errorf("the offer comes back as %q", got)
	}
}

func TestVisitsThatArePaidForComeBeforeMoney(t *testing.T) {
	c := challenge(t, "visits")
	c.Offers = append(c.Offers, Offer{Name: "view", Price: cents(100), Affordable: true})
	text := rendered(t, c)
	want := []string{"Use one visit and read", "10 visits for $10.00", "5 visits for $0.45"}
	if got := buttons(t, text, PayPath); !slices.Equal(got, want) {
		t.Errorf("pay buttons are %q, want %q", got, want)
	}
	if got := field(t, text, PayPath, "offer"); got != "view" {
		t.Errorf("the offer comes back as %q", got)
	}
	if got := status(t, text); got != "You have 9 visits left here." {
		t.Errorf("standing reads %q", got)
	}
}

func TestAffordableMeansNothingWithoutAWallet(t *testing.T) {
	c := challenge(t, "rich")
	c.HasWallet, c.Visits = false, 3
	if got := buttons(t, rendered(t, c), PayPath); len(got) != 0 {
		t.Errorf("pay buttons %q without a wallet", got)
	}
}

func TestAPageWithoutATitleHasANeutralOne(t *testing.T) {
	if got := content(one(t, rendered(t, challenge(t, "bare")), "h1")); got != "This page has a price" {
		t.Errorf("h1 is %q", got)
	}
}

func TestAMistakeIsLinkedToItsFieldAndTheFieldSaysIt(t *testing.T) {
	for name, id := range map[string]string{"typo": FieldVoucher, "spent": FieldVoucher, "lost": FieldRecovery} {
		text := rendered(t, challenge(t, name))
		alerts, invalid := 0, 0
		for _, n := range nodes(t, text) {
			if attribute(n, "role") == "alert" {
				alerts++
			}
			if attribute(n, "aria-invalid") == "true" {
				invalid++
				if attribute(n, "id") != id || !strings.HasPrefix(attribute(n, "aria-describedby"), id+"-wrong") {
					t.Errorf("%s: the wrong field is %q, described by %q", name, attribute(n, "id"), attribute(n, "aria-describedby"))
				}
			}
		}
		if alerts != 1 || invalid != 1 || !strings.Contains(text, `href="#`+id+`"`) {
			t.Errorf("%s: %d alerts, %d invalid fields, want one each and a link", name, alerts, invalid)
		}
		if !strings.HasPrefix(content(one(t, text, "title")), "Error: ") {
			t.Errorf("%s: the title does not say error", name)
		}
	}
}

// TestAFoldedFieldUnfoldsForItsMistake: a browser does not follow the alert's
// link into a closed <details>.
func TestAFoldedFieldUnfoldsForItsMistake(t *testing.T) {
	for name, want := range map[string]string{"lost": "I have a wallet elsewhere", "spent": "I have a voucher"} {
		for _, n := range all(t, rendered(t, challenge(t, name)), "details") {
			if is := strings.Contains(content(n), want); is != hasAttribute(n, "open") {
				t.Errorf("%s: details open is %v: %.40q", name, !is, content(n))
			}
		}
	}
}

func TestTheRecoveryCodeIsOnThePageOnlyWhenItIsGiven(t *testing.T) {
	fresh := rendered(t, challenge(t, "fresh"))
	if strings.Count(fresh, sampleCode) != 1 || !strings.Contains(fresh, "It is shown only this once.") {
		t.Error("the new code is not shown once with its warning")
	}
	if got := attribute(one(t, fresh, "body"), "class"); got != "has-code" {
		t.Errorf("body class is %q: printing would hide nothing around the code", got)
	}
	if strings.Contains(rendered(t, challenge(t, "rich")), "Your recovery code") {
		t.Error("a code is announced where there is none")
	}
}

func TestLanguageLinksKeepTheQuery(t *testing.T) {
	text := rendered(t, challenge(t, "rich"))
	if !strings.Contains(text, `href="/articles/1?lang=fr&amp;x=1"`) {
		t.Error("no link to the French page with x=1")
	}
	if got := strings.Count(text, `aria-current="true"`); got != 1 {
		t.Errorf("%d current languages", got)
	}
}

type brokenPipe struct{ writes int }

func (b *brokenPipe) Write([]byte) (int, error) {
	b.writes++
	return 0, io.ErrClosedPipe
}

func TestAPageIsWrittenWholeOrNotAtAll(t *testing.T) {
	var pipe brokenPipe
	if err := challenge(t, "rich").Render(&pipe); !errors.Is(err, io.ErrClosedPipe) || pipe.writes != 1 {
		t.Errorf("%d writes, error %v: want one write and its error", pipe.writes, err)
	}
}

func BenchmarkChallenge(b *testing.B) {
	c := Challenge{
		Frame: Frame{Lang: "fr", Currency: currency(b, "EUR"), SiteName: "Small Change", Path: "/articles/1"},
		Title: "Title", Teaser: "Teaser", Window: 24 * time.Hour, Quote: "quote", Return: "/articles/1",
		Offers: []Offer{{Name: "view", Price: wallet.Unit / 10}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Render(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
