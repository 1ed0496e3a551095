package wallet

import (
	"fmt"

	"golang.org/x/text/currency"
)

// Currency is an ISO 4217 currency: the one currency of a paywall. The zero
// value is not a currency; make one with [ParseCurrency].
type Currency struct {
	code   string
	places int
}

// ParseCurrency returns the currency of a three-letter ISO 4217 code in upper
// case, such as USD.
func ParseCurrency(code string) (Currency, error) {
	unit, err := currency.ParseISO(code)
	if err != nil || unit.String() != code || unit == currency.XXX { // XXX is ISO 4217 for no currency
		return Currency{}, fmt.Errorf("%q is not an ISO 4217 currency code in upper case, such as USD or EUR", code)
	}
	places, _ := currency.Standard.Rounding(unit)
	return Currency{code: code, places: places}, nil
}

// String is the ISO 4217 code.
func (c Currency) String() string { return c.code }

// Places is how many decimal places the currency is written with: 2 for USD,
// 0 for JPY.
func (c Currency) Places() int { return c.places }

// Format writes a as a decimal string without the code: "0.10" in USD, "5" in
// JPY. It is the form of every API, header and config.
func (c Currency) Format(a Amount) string { return a.Format(c.places) }

// Price writes a with the code, as in the header Paywall-Price: "0.10 USD".
func (c Currency) Price(a Amount) string { return c.Format(a) + " " + c.code }
