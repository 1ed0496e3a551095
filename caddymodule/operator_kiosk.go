package caddymodule

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// kioskCode is a code with which a machine becomes a kiosk.
type kioskCode struct {
	Kiosk   string    `json:"kiosk"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

// operatorKiosk is a kiosk as the operator sees it.
type operatorKiosk struct {
	Kiosk    string        `json:"kiosk"`
	Enrolled time.Time     `json:"enrolled"`
	Seen     time.Time     `json:"seen,omitzero"`
	Health   string        `json:"health"` // well, late, idle, faulty, disabled, or new: never heard of
	Disabled bool          `json:"disabled"`
	Issuer   bool          `json:"issuer,omitempty"` // it may issue cards
	Version  string        `json:"version,omitempty"`
	Backlog  int           `json:"backlog"`
	Oldest   time.Time     `json:"oldest,omitzero"` // of the backlog
	Owed     string        `json:"owed,omitempty"`  // for its offline taps, by wallets that were short
	Owing    []operatorDue `json:"owing,omitempty"`
	Flags    []kioskFlag   `json:"flags,omitempty"` // what is wrong with its offline taps
	Readers  []wire.Reader `json:"readers"`
	Taps     []operatorTap `json:"taps"`
}

// lateAfter is when a kiosk that tells how it is every half minute is missed.
const lateAfter = 2 * time.Minute

// healthOf is how a kiosk is, in a word. What is the operator's own doing comes first, then
// what makes the rest old news.
func healthOf(k kiosk.Kiosk, now time.Time) string {
	switch {
	case k.Disabled:
		return "disabled"
	case k.Seen == 0:
		return "new"
	case now.Sub(time.UnixMilli(k.Seen)) > lateAfter && (k.Till != nil || k.Issuer):
		return "idle" // it tells nothing while nobody uses it
	case now.Sub(time.UnixMilli(k.Seen)) > lateAfter:
		return "late"
	case slices.ContainsFunc(k.State.Readers, func(r wire.Reader) bool { return r.Fault != "" }):
		return "faulty"
	}
	return "well"
}

type operatorTap struct {
	Time    time.Time `json:"time"`
	Product string    `json:"product"`
	Outcome string    `json:"outcome"`
}

// operatorDue is a tap, or the taps of a lease, that is not paid yet.
type operatorDue struct {
	Time    time.Time `json:"time"`
	Product string    `json:"product"`
	Amount  string    `json:"amount"`
}

type kioskFlag struct {
	Time time.Time `json:"time"`
	Tap  string    `json:"tap,omitempty"`
	What string    `json:"what"`
}

// offline adds what the operator has to know of a kiosk's offline taps.
func (c *operatorCall) offline(cashier *kiosk.Cashier, one *operatorKiosk, debts []kiosk.Debt) error {
	owed := wallet.Amount(0)
	for _, d := range debts {
		if d.Kiosk == one.Kiosk {
			owed += d.Amount
			one.Owing = append(one.Owing, operatorDue{d.Time, d.Product, c.currency.Format(d.Amount)})
		}
	}
	if owed > 0 {
		one.Owed = c.currency.Format(owed)
	}
	flags, err := cashier.Flags(c.r.Context(), one.Kiosk)
	for _, f := range flags {
		one.Flags = append(one.Flags, kioskFlag{time.UnixMilli(f.Time).UTC(), f.Tap, f.What})
	}
	return err
}

// kiosks is who looks after them, or an error where the configuration has none.
func (c *operatorCall) kiosks() (*kiosk.Cashier, error) {
	if c.Kiosks == nil {
		return nil, adminError(http.StatusNotFound, "the running configuration has no kiosks: it needs the option kiosks")
	}
	return c.cashier(c.keys, c.ledger), nil
}

func (c *operatorCall) enrolKiosk() (any, error) {
	cashier, err := c.kiosks()
	if err != nil {
		return nil, err
	}
	code, expires, err := cashier.NewCode(c.r.Context(), c.input.Kiosk, c.input.Issuer)
	if errors.Is(err, kiosk.ErrInvalid) {
		return nil, adminError(http.StatusBadRequest, err.Error())
	}
	return kioskCode{c.input.Kiosk, code.String(), expires.UTC()}, err
}

func (c *operatorCall) listKiosks() (any, error) {
	cashier, err := c.kiosks()
	if err != nil {
		return nil, err
	}
	all, err := cashier.Kiosks(c.r.Context())
	if err != nil {
		return nil, err
	}
	debts, err := cashier.Debts(c.r.Context())
	if err != nil {
		return nil, err
	}
	shown := make([]operatorKiosk, 0, len(all))
	for _, k := range all {
		one := operatorKiosk{
			Kiosk: k.Name, Enrolled: time.UnixMilli(k.Enrolled).UTC(), Health: healthOf(k, cashier.Now()), Disabled: k.Disabled, Issuer: k.Issuer,
			Version: k.State.Version, Backlog: k.State.Backlog, Readers: k.State.Readers, Taps: make([]operatorTap, 0, len(k.Taps)),
		}
		if k.Seen != 0 {
			one.Seen = time.UnixMilli(k.Seen).UTC()
		}
		if k.State.Oldest != 0 {
			one.Oldest = time.UnixMilli(k.State.Oldest).UTC()
		}
		if err := c.offline(cashier, &one, debts); err != nil {
			return nil, err
		}
		for _, n := range k.Taps {
			one.Taps = append(one.Taps, operatorTap{time.UnixMilli(n.Time).UTC(), n.Product, n.Outcome})
		}
		shown = append(shown, one)
	}
	return shown, nil
}

func (c *operatorCall) disableKiosk() (any, error) {
	cashier, err := c.kiosks()
	if err != nil {
		return nil, err
	}
	err = cashier.Disable(c.r.Context(), c.input.Kiosk, !c.input.Enable)
	if errors.Is(err, wallet.ErrNotFound) {
		return nil, adminError(http.StatusNotFound, "there is no kiosk of this name")
	}
	return struct{}{}, err
}
