package caddymodule

import (
	"net/http"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// limitsChange reads the limits that the holder sets. What is not given stays; what is given
// and empty is no limit.
func (c *call) limitsChange() (change func(*kiosk.Card), err error) {
	read := func(text *string) (limit wallet.Amount) {
		if limit = wallet.MaxAmount; text != nil && *text != "" && err == nil {
			limit, err = wallet.ParseAmount(*text)
		}
		return limit
	}
	tap, day := read(c.fields.TapLimit), read(c.fields.DayLimit)
	if err != nil {
		return nil, problem{status: http.StatusBadRequest, key: page.CardLimits, detail: "tap_limit and day_limit: " + err.Error()}
	}
	return func(one *kiosk.Card) {
		own := kiosk.Limits{Tap: wallet.MaxAmount, Day: wallet.MaxAmount}
		if one.Own != nil {
			own = *one.Own
		}
		if c.fields.TapLimit != nil {
			own.Tap = tap
		}
		if c.fields.DayLimit != nil {
			own.Day = day
		}
		if one.Own = &own; own == (kiosk.Limits{Tap: wallet.MaxAmount, Day: wallet.MaxAmount}) {
			one.Own = nil
		}
	}, nil
}

// pinChange reads the PIN that the holder sets, and above what it is asked for. What is not
// given stays; an empty PIN is none, and an empty sum is nothing.
func (c *call) pinChange(cashier *kiosk.Cashier) (change func(*kiosk.Card) error, err error) {
	digits, above := c.fields.PIN, wallet.Amount(0)
	if text := deref(c.fields.PINAbove); text != "" {
		if above, err = wallet.ParseAmount(text); err != nil {
			return nil, problem{status: http.StatusBadRequest, key: page.CardLimits, detail: "pin_above: " + err.Error()}
		}
	}
	return func(one *kiosk.Card) error {
		switch {
		case digits == nil && c.fields.PINAbove == nil:
			return nil
		case digits != nil && *digits == "":
			one.PIN = nil
			return nil
		case c.fields.PINAbove == nil && one.PIN != nil:
			above = one.PIN.Above
		}
		if digits == nil {
			return cashier.SetPIN(one, "", above)
		}
		return cashier.SetPIN(one, *digits, above)
	}, nil
}
