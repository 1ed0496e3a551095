package meter

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// DefaultWindow is how long a paid resource can be read again for free where a
// rule does not say.
const DefaultWindow = 24 * time.Hour

// ErrRule is the reason a rule cannot be used. Errors of [Rule.Check] wrap it
// and say what to change.
var ErrRule = errors.New("paywall rule")

// Rule is a price: what one view of a resource costs, or the bundle that views
// are sold in, or both.
type Rule struct {
	Name   string        // names the rule's passes in the ledger; stable across price changes
	Price  wallet.Amount // of one view; zero: not sold singly
	Bundle Bundle        // zero: none
	Window time.Duration // how long a view can be repeated for free
}

// Bundle is a number of visits sold together. The zero Bundle is none.
type Bundle struct {
	Visits   int
	Price    wallet.Amount
	Validity time.Duration // zero: the visits do not end
}

// The names of offers, as they stand in forms, JSON and quotes.
const (
	OfferView   = "view"
	OfferBundle = "bundle"
)

// Offer is something that can be bought for a resource.
type Offer struct {
	Name     string
	Price    wallet.Amount
	Visits   int           // zero: one view of the resource
	Validity time.Duration // of the visits; zero: they do not end
}

// Check returns nil if the rule sells something and everything it names is
// within the ledger's limits, else an error that wraps ErrRule.
func (r Rule) Check() error {
	switch {
	case r.Name == "" || len(r.Name) > wallet.MaxRule:
		return fmt.Errorf("%w: its name has %d bytes, must have 1 to %d", ErrRule, len(r.Name), wallet.MaxRule)
	case r.Price < 0 || r.Price > wallet.MaxAmount:
		return fmt.Errorf("%w %q: price %s is out of range", ErrRule, r.Name, r.Price)
	case r.Price == 0 && r.Bundle == Bundle{}:
		return fmt.Errorf("%w %q sells nothing: give it a price, a bundle, or both", ErrRule, r.Name)
	case r.Window < wallet.MinWindow || r.Window > wallet.MaxWindow:
		return fmt.Errorf("%w %q: window %v must be between %v and %v",
			ErrRule, r.Name, r.Window, wallet.MinWindow, wallet.MaxWindow)
	case r.Bundle != Bundle{}:
		return r.checkBundle()
	}
	return nil
}

func (r Rule) checkBundle() error {
	b := r.Bundle
	switch {
	case b.Visits < 1 || b.Visits > wallet.MaxVisits:
		return fmt.Errorf("%w %q: a bundle of %d visits, must be 1 to %d", ErrRule, r.Name, b.Visits, wallet.MaxVisits)
	case b.Price < 1 || b.Price > wallet.MaxAmount:
		return fmt.Errorf("%w %q: bundle price %s is out of range", ErrRule, r.Name, b.Price)
	case b.Validity != 0 && (b.Validity < wallet.MinWindow || b.Validity > wallet.MaxValidity):
		return fmt.Errorf("%w %q: bundle validity %v must be between %v and %v, or none",
			ErrRule, r.Name, b.Validity, wallet.MinWindow, wallet.MaxValidity)
	}
	return nil
}

// Offers lists what the rule sells: the single view first.
func (r Rule) Offers() []Offer {
	offers := make([]Offer, 0, 2)
	if r.Price > 0 {
		offers = append(offers, Offer{Name: OfferView, Price: r.Price})
	}
	if b := r.Bundle; b.Visits > 0 {
		offers = append(offers, Offer{Name: OfferBundle, Price: b.Price, Visits: b.Visits, Validity: b.Validity})
	}
	return offers
}

// Offer returns the offer of that name.
func (r Rule) Offer(name string) (Offer, bool) {
	for _, o := range r.Offers() {
		if o.Name == name {
			return o, true
		}
	}
	return Offer{}, false
}

// Lead is the offer that stands for the rule where there is room for one
// price: the single view, else the bundle.
func (r Rule) Lead() Offer { return r.Offers()[0] }
