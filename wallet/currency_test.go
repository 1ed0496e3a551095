package wallet

import (
	"strings"
	"testing"
)

func TestPricesAreWrittenInTheCurrencysPlaces(t *testing.T) {
	for _, c := range []struct {
		code   string
		places int
		amount Amount
		want   string
	}{
		{"USD", 2, Unit / 10, "0.10 USD"},
		{"EUR", 2, 5 * Unit, "5.00 EUR"},
		{"CHF", 2, 50_000, "0.05 CHF"},
		{"JPY", 0, 5 * Unit, "5 JPY"},
		{"KRW", 0, 1000 * Unit, "1000 KRW"},
		{"BHD", 3, Unit / 10, "0.100 BHD"},
		{"CLF", 4, Unit, "1.0000 CLF"},
		// Finer than a coin: written in full, or a reader would see 0.00.
		{"USD", 2, 500, "0.0005 USD"},
		{"USD", 2, 125_000, "0.125 USD"},
		{"USD", 2, 1, "0.000001 USD"},
		{"JPY", 0, Unit / 2, "0.5 JPY"},
		{"BHD", 3, 100, "0.0001 BHD"},
		{"USD", 2, 0, "0.00 USD"},
		{"USD", 2, -30 * Unit, "-30.00 USD"},
	} {
		currency := must(ParseCurrency(c.code))(t)
		if currency.Places() != c.places || currency.String() != c.code {
			t.Errorf("%s is %s with %d places, want %d", c.code, currency, currency.Places(), c.places)
		}
		if got := currency.Price(c.amount); got != c.want {
			t.Errorf("%d millionths are %q, want %q", int64(c.amount), got, c.want)
		}
		if got := currency.Format(c.amount) + " " + c.code; got != c.want {
			t.Errorf("Format and Price differ: %q, want %q", got, c.want)
		}
	}
}

func TestACurrencyIsAnISOCodeInUpperCase(t *testing.T) {
	for _, code := range []string{
		"", "US", "USDX", "usd", "Usd", " USD", "USD ", "US$", "$", "ZZZ", "840", "XXX", "US\x00", "\xff\xff\xff", "\uff35\uff33\uff24", strings.Repeat("USD", 1000),
	} {
		currency, err := ParseCurrency(code)
		if err == nil || currency != (Currency{}) {
			t.Errorf("%.20q is the currency %s, %v", code, currency, err)
		}
	}
}

func FuzzParseCurrency(f *testing.F) {
	for _, code := range []string{"USD", "JPY", "BHD", "XXX", "usd", "", "\xff\xff\xff", "ZZZ"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		currency, err := ParseCurrency(code)
		if err != nil {
			if currency != (Currency{}) {
				t.Fatalf("%s came with the error", currency)
			}
			return
		}
		if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || currency.String() != code {
			t.Fatalf("%q is the currency %s", code, currency)
		}
		if currency.Places() < 0 || currency.Places() > amountScale {
			t.Fatalf("%s has %d places", code, currency.Places())
		}
	})
}
