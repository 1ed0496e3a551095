package page

import (
	"math"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func TestMoneyIsWrittenTheWayReadersWriteIt(t *testing.T) {
	const cent = wallet.Unit / 100
	for _, c := range []struct {
		lang, code string
		amount     wallet.Amount
		want       string
	}{
		{"en", "USD", 10 * cent, "$0.10"},
		{"en", "EUR", 10 * cent, "€0.10"},
		{"en", "GBP", 1, "£0.000001"},
		{"en", "CHF", 10 * cent, "CHF\u00a00.10"},
		{"en", "JPY", 1200 * wallet.Unit, "¥1,200"},
		{"en", "BHD", wallet.Unit / 2, "BHD\u00a00.500"},
		{"en", "USD", 0, "$0.00"},
		{"en", "USD", 999 * wallet.Unit, "$999.00"},
		{"en", "USD", 1000 * wallet.Unit, "$1,000.00"},
		{"en", "USD", wallet.MaxAmount, "$9,007,199,254.740991"},
		{"en", "USD", -10 * cent, "\u2212$0.10"},
		{"en", "CHF", -1234 * wallet.Unit, "\u2212CHF\u00a01,234.00"},
		{"en", "USD", -100 * wallet.Unit, "\u2212$100.00"},
		{"en", "USD", math.MinInt64, "\u2212$9,223,372,036,854.775808"},
		{"fr", "EUR", 10 * cent, "0,10\u00a0€"},
		{"fr", "USD", 10 * cent, "0,10\u00a0$"},
		{"fr", "CHF", 123456 * cent, "1\u202f234,56\u00a0CHF"},
		{"fr", "EUR", -123456 * cent, "\u22121\u202f234,56\u00a0€"},
		{"fr", "JPY", 5 * wallet.Unit, "5\u00a0¥"},
		{"it", "EUR", 10 * cent, "0,10\u00a0€"},
		{"it", "EUR", 123456789 * cent, "1.234.567,89\u00a0€"},
		{"it", "EUR", -10 * cent, "\u22120,10\u00a0€"},
		{"de", "EUR", 10 * cent, "€0.10"},
	} {
		if got := Money(c.lang, currency(t, c.code), c.amount); got != c.want {
			t.Errorf("%s of %d in %s is %q, want %q", c.code, c.amount, c.lang, got, c.want)
		}
	}
}

func TestMoneyWithoutACurrencyIsANumber(t *testing.T) {
	if got := Money("en", wallet.Currency{}, wallet.Unit/10); got != "0.1" {
		t.Errorf("got %q", got)
	}
}

func TestMoneyThatComesInHasAPlus(t *testing.T) {
	if got := signed("en", currency(t, "USD"), wallet.Unit); got != "+$1.00" {
		t.Errorf("got %q", got)
	}
	if got := signed("fr", currency(t, "EUR"), -wallet.Unit); got != "\u22121,00\u00a0€" {
		t.Errorf("got %q", got)
	}
}
