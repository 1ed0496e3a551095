package main_test

import "testing"

func TestABrowserThatAsksForFrenchGetsIt(t *testing.T) {
	site := newServer(t, example(t))
	site.start()
	reader := newDevice(site, startBrowser(t), true)
	reader.speaks("fr-CH, fr;q=0.9, en;q=0.5")
	reader.visit("/articles/1", 402)
	reader.wantsLanguage("fr")
	reader.says("0,10")
	reader.wantsAccessible()
	reader.fill("#voucher", site.vouchers("12.00", 1)[0])
	reader.click("form:has(#voucher) button", 402)
	reader.wantsLanguage("fr")
	reader.says("12,00", "11,90")
	reader.wantsAccessible()
	reader.wantsNarrow()
	reader.click(`button[value="view"]`, 200)
	reader.visit("/.paywall/wallet", 200)
	reader.wantsLanguage("fr")
	reader.wantsAccessible()
	reader.wantsNarrow()
	reader.click(`a[hreflang="it"]`, 200)
	reader.wantsLanguage("it")
	reader.wantsNarrow()
	reader.wantsQuietConsole()
	site.verify()
}

func (b *tab) wantsLanguage(tag string) {
	b.Helper()
	if got := evaluate[string](b, `document.documentElement.lang`); got != tag {
		b.Fatalf("the page is in %q, want %q:\n%s", got, tag, b.look())
	}
}
