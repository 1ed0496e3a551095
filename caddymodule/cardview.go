package caddymodule

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// cardJSON is a card as whoever has it sees it.
type cardJSON struct {
	Card     string     `json:"card"`
	Name     string     `json:"name"`
	Proof    string     `json:"proof"` // uid or sun
	Blocked  bool       `json:"blocked"`
	Offline  bool       `json:"offline"`               // it may pay at kiosks that are cut off
	Replaced string     `json:"replaced_by,omitempty"` // the card that has its place
	Replaces string     `json:"replaces,omitempty"`    // the card whose place it has not got yet
	Added    time.Time  `json:"added"`
	TapLimit *moneyJSON `json:"tap_limit,omitempty"`
	DayLimit *moneyJSON `json:"day_limit,omitempty"`
	Spent    moneyJSON  `json:"spent_today"`

	PINAbove   *moneyJSON `json:"pin_above,omitempty"` // paid without its PIN in a day; absent: it has none
	PINBlocked bool       `json:"pin_blocked,omitempty"`
}

type cardsJSON struct {
	Cards []cardJSON `json:"cards"`
	Owed  *moneyJSON `json:"owed,omitempty"` // for taps at kiosks that were cut off
}

func (c *call) cardJSON(one kiosk.Card) cardJSON {
	shown := cardJSON{
		Card: one.ID, Name: one.Name, Proof: one.Tier.String(), Blocked: one.Blocked, Offline: one.Offline, Added: time.UnixMilli(one.Added).UTC(),
		Replaced: one.Replaced, Replaces: one.Replaces, PINBlocked: one.PINBlocked(),
	}
	shown.Spent = c.app.money(c.spentToday(one))
	if one.Own != nil {
		shown.TapLimit, shown.DayLimit = c.limitJSON(one.Own.Tap), c.limitJSON(one.Own.Day)
	}
	if one.PIN != nil {
		above := c.app.money(one.PIN.Above)
		shown.PINAbove = &above
	}
	return shown
}

func (c *call) limitJSON(limit wallet.Amount) *moneyJSON {
	if limit == wallet.MaxAmount {
		return nil
	}
	shown := c.app.money(limit)
	return &shown
}

func (c *call) spentToday(one kiosk.Card) wallet.Amount {
	if one.Day != c.app.now().UTC().Format(time.DateOnly) {
		return 0
	}
	return one.Spent
}

// cardShown is a card as the page has it.
func (c *call) cardShown(one kiosk.Card) page.Card {
	shown := page.Card{
		ID: one.ID, Name: one.Name, Signs: one.Tier > kiosk.TierUID, Spent: c.spentToday(one),
		Blocked: one.Blocked, PINBlocked: one.PINBlocked(), Replaced: one.Replaced != "", Pending: one.Replaces != "",
		Offline: one.Offline, MayOffline: c.app.Kiosks.offline != nil && one.PIN == nil,
	}
	if one.Own != nil {
		shown.Tap, shown.Day = c.limitText(one.Own.Tap), c.limitText(one.Own.Day)
	}
	if one.PIN != nil {
		shown.PIN, shown.Above = true, one.PIN.Above
	}
	return shown
}

// limitText is a limit as a form has it; the largest amount is none.
func (c *call) limitText(limit wallet.Amount) string {
	if limit == wallet.MaxAmount {
		return ""
	}
	return c.app.currency.Format(limit)
}
