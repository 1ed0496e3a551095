package main_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// example is the Caddyfile that the README starts, on other ports.
func example(t *testing.T) func(port, admin string) string {
	t.Helper()
	text, err := os.ReadFile("../../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	return func(port, admin string) string {
		const site, options = "http://localhost:8402 {", "\n{\n"
		if strings.Count(string(text), site) != 1 || strings.Count(string(text), options) != 1 {
			t.Fatalf("Caddyfile.example has not one site at %q and one block of options", site)
		}
		changed := strings.Replace(string(text), site, "http://localhost:"+port+" {", 1)
		return strings.Replace(changed, options, options+"\tadmin "+admin+"\n\tpersist_config off\n", 1)
	}
}

func TestAReaderPaysTenCentsInABrowser(t *testing.T) { tellReadersStory(t, true) }

func TestAReaderPaysTenCentsInABrowserWithoutJavaScript(t *testing.T) { tellReadersStory(t, false) }

// tellReadersStory is the demo as a reader meets it, from the front page to
// another device.
func tellReadersStory(t *testing.T, scripted bool) {
	site := newServer(t, example(t))
	site.start()
	code := site.vouchers("12.00", 1)[0]
	browser := startBrowser(t)
	reader := newDevice(site, browser, scripted)

	reader.meetsThePrice()
	reader.mistypesTheVoucher(code)
	recovery := reader.redeemsTheVoucher(code)
	reader.paysAndReads()
	reader.readsAgainForFree()
	reader.buysTheBundle()
	reader.looksIntoTheWallet()
	reader.wantsQuietConsole()

	other := newDevice(site, browser, scripted)
	other.opensTheWalletWith(recovery)
	other.wantsQuietConsole()

	if found := site.verify(); found.Available != "1.90" || found.Site != "10.10" || found.Wallets != 1 {
		t.Errorf("after the story the books say %+v, want 1.90 in one wallet and 10.10 earned", found)
	}
}

func (b *tab) meetsThePrice() {
	b.Helper()
	b.visit("/", 200)
	b.says("Small Change", "$0.10", "10 visits for $10.00")
	b.wantsAccessible()
	b.click(`main a[href="/articles/1"]`, 402)
	b.says("The Ferryman’s Ledger", "$0.10")
	b.saysNot("Pay $0.10", "recovery code is")
	b.wantsAccessible()
	b.photograph("challenge")
	b.wantsNarrow()
}

// mistypesTheVoucher changes one symbol, which the check symbols notice: the
// error stands at the field, and the field says so.
func (b *tab) mistypesTheVoucher(code string) {
	b.Helper()
	wrong := "2" + code[1:]
	if wrong == code {
		wrong = "3" + code[1:]
	}
	b.fill("#voucher", wrong)
	b.click("form:has(#voucher) button", 402)
	b.isAt("/articles/1")
	if got := evaluate[string](b, `document.querySelector("#voucher").getAttribute("aria-invalid")`); got != "true" {
		b.Errorf("the field of the wrong voucher has aria-invalid=%q", got)
	}
	named := evaluate[string](b, `document.querySelector("#voucher").getAttribute("aria-describedby").split(" ")
		.map(id => document.getElementById(id).innerText).join("\n")`)
	alert := evaluate[string](b, `document.querySelector("[role=alert] h2").innerText`)
	if alert == "" || !strings.Contains(named, alert) {
		b.Errorf("the alert says %q, the field is described by %q", alert, named)
	}
	if title := evaluate[string](b, `document.title`); !strings.Contains(title, alert) {
		b.Errorf("the title %q does not begin with the error, which is what a screen reader reads first", title)
	}
	b.wantsAccessible()
}

var recoveryCode = regexp.MustCompile(`\b[0-9A-Z]{4}(-[0-9A-Z]{4}){4}\b`)

func (b *tab) redeemsTheVoucher(code string) (recovery string) {
	b.Helper()
	b.fill("#voucher", strings.ToLower(code))
	b.click("form:has(#voucher) button", 402)
	b.isAt("/articles/1")
	b.says("$12.00", "$11.90", "Pay $0.10 and read")
	recovery = recoveryCode.FindString(b.look())
	if recovery == "" {
		b.Fatalf("no recovery code:\n%s", b.look())
	}
	b.wantsAccessible()
	b.photograph("recovery")
	b.wantsNarrow()
	b.photographDark()
	b.visit("/articles/1", 402)
	b.saysNot(recovery)
	b.says("Pay $0.10 and read")
	return recovery
}

func (b *tab) paysAndReads() {
	b.Helper()
	b.click(`button[value="view"]`, 200)
	b.isAt("/articles/1")
	b.says("The Ferryman’s Ledger", "Anselm Roke")
	if length := len(b.look()); length < 2000 {
		b.Errorf("the article has only %d characters:\n%s", length, b.look())
	}
	b.photographAt("article", pictureWidth, 900)
	b.wantsBalance("11.90")
}

func (b *tab) readsAgainForFree() {
	b.Helper()
	b.visit("/articles/1", 200)
	b.travel(-1)
	b.travel(+1)
	b.says("Anselm Roke")
	b.reload(200)
	b.visit("/", 200)
	b.travel(-1)
	b.isAt("/articles/1")
	b.says("Anselm Roke")
	second := b.secondTab()
	second.visit("/articles/1", 200)
	second.says("Anselm Roke")
	second.wantsQuietConsole()
	b.wantsBalance("11.90")
}

func (b *tab) buysTheBundle() {
	b.Helper()
	b.visit("/research/1", 402)
	b.says("The Bridge That Nobody Counts", "10 visits", "$10.00")
	b.wantsAccessible()
	b.click(`button[value="bundle"]`, 200)
	b.isAt("/research/1")
	b.says("9 of your visits are left.")
	b.reload(200)
	b.wantsBalance("1.90")
}

func (b *tab) looksIntoTheWallet() {
	b.Helper()
	b.visit("/", 200)
	b.click(`header a[href^="/.paywall/wallet"]`, 200)
	b.says("$1.90", "9 visits", "/articles/1", "/research/1", "$0.10", "$10.00", "$12.00")
	if rows := evaluate[int](b, `document.querySelectorAll("main tbody tr").length`); rows < 4 {
		b.Errorf("the wallet lists %d entries, want the voucher, the article, the bundle and the visit:\n%s", rows, b.look())
	}
	b.wantsAccessible()
	b.photograph("wallet")
	b.wantsNarrow()
}

func (b *tab) opensTheWalletWith(recovery string) {
	b.Helper()
	b.visit("/articles/1", 402)
	b.saysNot("Anselm Roke rowed the") // the teaser says no more than his name
	b.visit("/.paywall/wallet", 200)
	b.saysNot("$1.90")
	b.wantsAccessible()
	b.fill("#recovery", recovery)
	b.click("form:has(#recovery) button", 200)
	b.says("$1.90", "9 visits")
	b.visit("/articles/1", 200)
	b.visit("/research/1", 200)
	b.wantsBalance("1.90")
}

// wantsBalance asks the operator's command what the site's only wallet has.
func (b *tab) wantsBalance(want string) {
	b.Helper()
	var list struct {
		Wallets []struct{ Balance struct{ Amount string } }
	}
	b.operator(&list, "wallet", "list")
	if len(list.Wallets) != 1 || list.Wallets[0].Balance.Amount != want {
		b.Fatalf("the ledger has the wallets %+v, want one with %s", list.Wallets, want)
	}
}
