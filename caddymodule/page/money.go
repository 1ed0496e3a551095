package page

import (
	"strings"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// symbols are the currency signs that readers know; every other currency is
// written with its ISO 4217 code.
var symbols = map[string]string{
	"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥",
	"CAD": "CA$", "AUD": "A$", "NZD": "NZ$", "HKD": "HK$", "MXN": "MX$", "BRL": "R$",
	"INR": "₹", "KRW": "₩", "ILS": "₪", "TRY": "₺", "UAH": "₴", "VND": "₫", "NGN": "₦",
}

// Money writes an amount for a reader of the language ("en", "fr", "it"; any
// other reads as "en"): "$1,234.50", "1 234,50 $", "1.234,50 $". It is exact:
// decimals finer than the currency's are shown where there are any. A negative
// amount has a minus sign (U+2212), and no space in it breaks a line.
func Money(lang string, c wallet.Currency, a wallet.Amount) string {
	l := localeOf(lang)
	number := l.number(c.Format(a))
	symbol, known := symbols[c.String()]
	if !known {
		symbol = c.String()
	}
	switch {
	case symbol == "":
		return number
	case !l.symbolFirst:
		return number + space + symbol
	}
	sign := ""
	if rest, negative := strings.CutPrefix(number, minus); negative {
		sign, number = minus, rest
	}
	if !known {
		symbol += space
	}
	return sign + symbol + number
}

// signed is [Money] with a plus before what came in.
func signed(lang string, c wallet.Currency, a wallet.Amount) string {
	if a > 0 {
		return "+" + Money(lang, c, a)
	}
	return Money(lang, c, a)
}
