package page

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func walletPage(t *testing.T, name string) Wallet {
	t.Helper()
	w, ok := samples(t, "en")["wallet-"+name].(Wallet)
	if !ok {
		t.Fatalf("no sample %q", name)
	}
	return w
}

// rows are the cells of the table's body.
func rows(t *testing.T, text string) [][]string {
	t.Helper()
	var table [][]string
	for _, row := range all(t, text, "tr") {
		var cells []string
		for n := range row.Descendants() {
			if n.Data == "td" {
				cells = append(cells, content(n))
			}
		}
		if cells != nil {
			table = append(table, cells)
		}
	}
	return table
}

func TestAWalletShowsWhatIsInIt(t *testing.T) {
	text := rendered(t, walletPage(t, "full"))
	if got, want := status(t, text), "$3.90 and $1.00 set aside"; got != want {
		t.Errorf("balance reads %q, want %q", got, want)
	}
	for _, want := range []string{"9 visits left", "until 2\u00a0Feb 2027", "1 visit left", sampleID} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

func TestEntriesSayWhatWhenHowMuchAndWhatIsLeft(t *testing.T) {
	got := rows(t, rendered(t, walletPage(t, "full")))
	want := [][]string{
		{"Page read with a visit (\u22121 visit) /research/2 2\u00a0Nov 2026, 12:03\u00a0UTC", "–", "$3.90"},
		{"Visits bought (+10 visits) 24\u00a0Oct 2026, 12:03\u00a0UTC", "\u2212$10.00", "$3.90"},
		{"Page read /articles/1 15\u00a0Oct 2026, 12:03\u00a0UTC", "\u2212$0.10", "$13.90"},
		{"Sent for the umbrella 6\u00a0Oct 2026, 12:03\u00a0UTC", "\u2212$2.50", "$14.00"},
		{"Received 27\u00a0Sep 2026, 12:03\u00a0UTC", "+$2.50", "$16.50"},
		{"Voucher redeemed 18\u00a0Sep 2026, 12:03\u00a0UTC", "+$15.00", "$14.00"},
	}
	for i, row := range want {
		if !slices.Equal(got[i], row) {
			t.Errorf("row %d reads %q, want %q", i, got[i], row)
		}
	}
	for _, n := range all(t, rendered(t, walletPage(t, "full")), "time") {
		if attribute(n, "datetime") == "2026-11-02T12:03:00Z" {
			return
		}
	}
	t.Error("no <time> a machine can read")
}

// TestEveryKindOfEntryHasWords walks past the last kind: one that is added to
// package wallet must not make the page fail.
func TestEveryKindOfEntryHasWords(t *testing.T) {
	for _, l := range locales {
		for kind := wallet.Kind(0); kind < 40; kind++ {
			key := "entry." + what(Entry{Kind: kind})
			if text, err := l.text(key); err != nil || text == "" {
				t.Errorf("%s in %s: %v", key, l.tag, err)
			}
		}
	}
	for kind := wallet.KindCreate; kind <= wallet.KindVoid; kind++ {
		inWallets := kind != wallet.KindIssue && kind != wallet.KindVoid
		if (what(Entry{Kind: kind}) == "other") == inWallets {
			t.Errorf("kind %s reads as %q", kind, what(Entry{Kind: kind}))
		}
	}
}

func TestOlderEntriesAreOnPagesOfTheirOwn(t *testing.T) {
	if first := rendered(t, walletPage(t, "full")); !strings.Contains(first, `href="/.paywall/wallet?cursor=a%2Bb%2Fc%3D&amp;lang=en"`) {
		t.Error("no link to the older entries")
	}
	older := rendered(t, walletPage(t, "older"))
	if forms := all(t, older, "form"); len(forms) != 0 {
		t.Errorf("%d forms among older entries", len(forms))
	}
	if strings.Contains(older, "cursor=") || !strings.Contains(older, "Balance and newest entries") {
		t.Error("the last page leads on, or not back")
	}
}

func TestADeviceWithoutAWalletIsOfferedBothWaysToOne(t *testing.T) {
	text := rendered(t, walletPage(t, "none"))
	if len(buttons(t, text, RedeemPath)) != 1 || len(buttons(t, text, RecoverPath)) != 1 {
		t.Error("the voucher or the recovery form is missing")
	}
	if len(buttons(t, text, NewRecoveryPath)) != 0 || len(all(t, text, "table")) != 0 {
		t.Error("the page shows a wallet that is not there")
	}
}

// TestOpeningAnotherWalletWarnsAboutThisOne: its cookie is replaced, and
// without its recovery code its money would be out of reach.
func TestOpeningAnotherWalletWarnsAboutThisOne(t *testing.T) {
	const warning = "Make sure that you have the recovery code of this one first."
	if !strings.Contains(rendered(t, walletPage(t, "full")), warning) {
		t.Error("no warning on the wallet page")
	}
	if !strings.Contains(rendered(t, challenge(t, "rich")), warning) {
		t.Error("no warning on the challenge")
	}
	if strings.Contains(rendered(t, challenge(t, "stranger")), warning) {
		t.Error("a warning about a wallet that is not there")
	}
}

func TestAFrozenWalletSaysSoOnce(t *testing.T) {
	silent := walletPage(t, "full")
	silent.Frozen = true
	for name, w := range map[string]Wallet{"without a notice": silent, "with one": walletPage(t, "frozen")} {
		if got := strings.Count(rendered(t, w), "It cannot spend at the moment."); got != 1 {
			t.Errorf("%s the page says %d times that the wallet is frozen", name, got)
		}
	}
}

func TestANewRecoveryCodeComesBackToTheWallet(t *testing.T) {
	text := rendered(t, walletPage(t, "full"))
	if got := field(t, text, NewRecoveryPath, "return"); got != WalletPath {
		t.Errorf("return is %q", got)
	}
	if got := field(t, text, RecoverPath, "revoke"); got != "1" {
		t.Errorf("revoke is %q", got)
	}
}

func TestAnErrorPageSaysWhatHappenedAndLeadsBack(t *testing.T) {
	p := Problem{Frame: Frame{Lang: "it"}, Status: 429, Key: TooManyTries, Return: "/articles/1"}
	text := rendered(t, p)
	for _, want := range []string{Title("it", TooManyTries), "Errore 429", `href="/articles/1"`, `href="/.paywall/wallet?lang=it"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	p.Return = ""
	if strings.Contains(rendered(t, p), "Torna alla pagina") {
		t.Error("a link back to nowhere")
	}
}
