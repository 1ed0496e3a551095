package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A card that signs opens its message as an address on any phone. Its message is accepted
// there, once, as at any kiosk; what the phone may do with it then is sealed, and done by
// pressing a button. PhoneKiosk is the kiosk that all phones are.
const (
	PhoneKiosk = "phone"
	phonePage  = "page" // what all of them sell

	touchSeal = "touch"
	touchLife = 3 * time.Minute
)

// Touch is what a phone that has read a card is told.
type Touch struct {
	Reason wire.Reason // why it may do nothing; empty: it may
	Claim  string      // the code of a card that nobody has
	Card   Card        // that somebody has
	Token  string      // for Pay and BlockTouched, for three minutes
}

// touch is what a Token has sealed.
type touch struct {
	Tap      wallet.OpID `json:"t"`
	Shown    wire.Card   `json:"c"`
	Register string      `json:"r"`
	Expires  int64       `json:"x"`
}

// Read accepts the message of a card on a phone, if it has not been seen before. It changes
// nothing else, and nothing where nobody has the card. What anybody can write down, as a
// card's number, is refused.
func (c *Cashier) Read(ctx context.Context, shown wire.Card) (got Touch, err error) {
	p, reason := c.read(shown)
	if reason != "" || !p.signed {
		return Touch{Reason: wire.Forged}, nil
	}
	id, err := c.newID()
	if err != nil {
		return got, err
	}
	got.Card, err = c.updateCard(ctx, p.register, func(one *Card) error {
		switch got.Reason = ""; {
		case !c.verify(p, one.Version):
			got.Reason = wire.Forged
			return errKeep
		case p.sun.Counter <= one.Counter:
			got.Reason = wire.Replayed
			return errKeep
		}
		one.Counter = p.sun.Counter
		one.Asking = lastTap{Tap: id, Kiosk: PhoneKiosk, Product: phonePage, Time: c.Now().UnixMilli()}
		return nil
	})
	if errors.Is(err, wallet.ErrNotFound) {
		version, _, err := c.versionOf(ctx, p.hash)
		if err != nil || !c.verify(p, version) {
			return Touch{Reason: wire.Forged}, err
		}
		return Touch{Claim: c.newClaim(p)}, nil
	}
	if err != nil || got.Reason != "" {
		return got, err
	}
	text, err := json.Marshal(touch{Tap: id, Shown: shown, Register: p.register, Expires: c.Now().Add(touchLife).UnixMilli()})
	got.Token = c.seal(text, touchSeal)
	return got, err
}

func (c *Cashier) openTouch(token string) (t touch, err error) {
	text, err := c.open(token, touchSeal)
	if err == nil && (json.Unmarshal(text, &t) != nil || t.Expires <= c.Now().UnixMilli()) {
		err = ErrCode
	}
	return t, err
}

// BlockTouched blocks the card that a phone has read, whoever's it is: whoever holds it may
// have found it. Only its wallet lets it pay again. ErrCode.
func (c *Cashier) BlockTouched(ctx context.Context, token string) error {
	t, err := c.openTouch(token)
	if err != nil {
		return err
	}
	_, err = c.updateCard(ctx, t.Register, func(one *Card) error {
		if one.Blocked {
			return errKeep
		}
		one.Blocked = true
		return nil
	})
	return err
}

// View is a view of a page that a card pays for on a phone.
type View struct {
	Rule     string
	Resource string
	Price    wallet.Amount
	Window   time.Duration
}

// Pay pays for a view of a page with the card that a phone has read: as at a kiosk, with the
// card's limits and its PIN, and once however often it is sent. The page is paid ahead: where
// it turns out not to exist, the money goes back (see [wallet.Settlement]). The verdict is
// granted, with the wallet's grant until it expires, or says why not, or asks for the PIN;
// answer is what was asked for before, nil at first. ErrCode.
func (c *Cashier) Pay(ctx context.Context, token string, view View, answer *wire.Answer) (v wire.Verdict, from Payer, err error) {
	t, err := c.openTouch(token)
	if err != nil {
		return v, from, err
	}
	k, sells := Kiosk{Name: PhoneKiosk}, *c
	sells.Products = map[string]Product{phonePage: {Title: phonePage, Price: view.Price}}
	v, err = sells.Tap(ctx, k, wire.Tap{
		ID: t.Tap, Product: phonePage, Card: t.Shown, Price: c.Currency.Format(view.Price), Again: true, PINPad: true, Answer: answer,
	})
	if err != nil || v.Outcome != wire.Granted {
		return v, from, err
	}
	g, err := c.openGrant(v.Grant, k.Name)
	if err != nil {
		return v, from, err
	}
	from, err = c.payPage(ctx, g, view, &v)
	return v, from, err
}

// Payer is the wallet that has paid for a page.
type Payer struct {
	Wallet     wallet.WalletID
	Generation uint32
	Until      time.Time
	Charged    bool // now, and not before
}

// payPage pays for a page in the place of what was set aside for it.
func (c *Cashier) payPage(ctx context.Context, g grant, view View, v *wire.Verdict) (from Payer, err error) {
	one, _, err := load[Card](ctx, c, g.Card)
	if err != nil {
		return from, err
	}
	if _, err := c.Ledger.Release(ctx, wallet.Release{ID: g.Tap.Derive([]byte(Released)), Wallet: g.Wallet, Hold: g.Hold}); err != nil {
		return from, err
	}
	c.Notes.pulses.ended(g.Tap)
	receipt, err := c.Ledger.Charge(ctx, wallet.Charge{
		ID: g.Tap.Derive([]byte(phonePage)), Wallet: g.Wallet, Generation: one.Generation, Rule: view.Rule,
		Resource: view.Resource, Price: view.Price, Window: view.Window, Ahead: true,
	})
	switch {
	case err != nil:
		return from, err
	case receipt.Outcome.Done():
		return Payer{g.Wallet, one.Generation, receipt.Until, receipt.Outcome == wallet.Applied}, nil
	case receipt.Outcome == wallet.Granted: // the wallet has paid for it before
		return Payer{g.Wallet, one.Generation, receipt.Until, false}, c.undo(ctx, g.Card, g.Tap, g.Amount)
	case receipt.Outcome == wallet.Insufficient: // somebody was faster
		v.Reason = wire.NoMoney
	case receipt.Outcome == wallet.Frozen:
		v.Reason = wire.Frozen
	case receipt.Outcome == wallet.Revoked || receipt.Outcome == wallet.NotFound:
		v.Reason = wire.Blocked
	default:
		return from, fmt.Errorf("%w: the page's charge is %v", ErrInvalid, receipt.Outcome)
	}
	v.Outcome, v.Grant = wire.Refused, ""
	return from, c.undo(ctx, g.Card, g.Tap, g.Amount)
}
