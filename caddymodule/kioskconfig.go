package caddymodule

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	defaultKioskHold  = caddy.Duration(30 * time.Second)
	defaultKioskGuard = caddy.Duration(3 * time.Second)
	maxKioskHold      = caddy.Duration(10 * time.Minute)
	maxKioskGuard     = caddy.Duration(time.Minute)
	maxProducts       = 200
	maxTitle          = 80 // bytes of a product's title
)

// Kiosks is what machines sell for the tap of a card.
type Kiosks struct {
	// The products by name: 1 to 40 lower-case letters, digits and hyphens.
	Products map[string]KioskProduct `json:"products,omitempty"`

	// What one card may cost, by what it proves: "uid", its number alone; "sun", a message
	// that it has signed; "mutual", that it has its key; "emv", that it is a bank card.
	// Default: 2.00 a tap and 10.00 a day, 20.00 and 100.00, 100.00 and 500.00, and nothing.
	Limits map[string]KioskLimits `json:"limits,omitempty"`

	// What holds at single kiosks beside that, by their names.
	Kiosks map[string]KioskTerms `json:"kiosks,omitempty"`

	// How long the money of a tap is set aside for the machine to do its part, a second
	// to 10 minutes. Default: 30 seconds.
	Hold caddy.Duration `json:"hold,omitempty"`

	// How long a second tap of the same card for the same thing at the same kiosk is
	// taken for impatience, at most a minute. Default: 3 seconds.
	Guard caddy.Duration `json:"guard,omitempty"`

	// Tells kiosks what is left in the wallet after a tap, and they show it to whoever
	// stands there. Default: they never learn it.
	ShowBalance bool `json:"show_balance,omitempty"`

	// What kiosks may grant by themselves while they do not reach the paywall. Default:
	// nothing.
	Offline *KioskOffline `json:"offline,omitempty"`

	products map[string]kiosk.Product
	offline  *kiosk.Offline
	limits   map[kiosk.Tier]kiosk.Limits
	terms    map[string]kiosk.Terms
}

// KioskProduct is one thing to buy.
type KioskProduct struct {
	Price string `json:"price"`           // a decimal
	Title string `json:"title,omitempty"` // default: the name
	Proof string `json:"proof,omitempty"` // the least that a card must prove for it; default: "uid"

	// The pages that it opens in the kiosk's own browser. Default: none.
	Opens *KioskOpens `json:"opens,omitempty"`
}

// KioskTerms are what holds at one kiosk.
type KioskTerms struct {
	// The least that a card must prove here. A product that needs more still needs more.
	// Default: "uid".
	Proof string `json:"proof,omitempty"`

	// These take the place of the general limits, tier by tier; they may be lower or
	// higher. What a card has spent in a day is counted at all kiosks together.
	Limits map[string]KioskLimits `json:"limits,omitempty"`
}

// KioskLimits are what one card may cost.
type KioskLimits struct {
	Tap string `json:"tap"` // a decimal, each
	Day string `json:"day"` // a decimal, in a day of UTC
}

// provision reads the prices and limits.
func (k *Kiosks) provision() error {
	if k.Hold == 0 {
		k.Hold = defaultKioskHold
	}
	if k.Guard == 0 {
		k.Guard = defaultKioskGuard
	}
	switch {
	case k.Hold < caddy.Duration(time.Second) || k.Hold > maxKioskHold:
		return fmt.Errorf("hold %v must be a second to %v", time.Duration(k.Hold), time.Duration(maxKioskHold))
	case k.Guard < 0 || k.Guard > maxKioskGuard:
		return fmt.Errorf("guard %v must be at most %v", time.Duration(k.Guard), time.Duration(maxKioskGuard))
	case len(k.Products) > maxProducts:
		return fmt.Errorf("%d products; at most %d are told to kiosks", len(k.Products), maxProducts)
	}
	if k.Offline != nil {
		var err error
		if k.offline, err = k.Offline.provision(); err != nil {
			return fmt.Errorf("offline: %w", err)
		}
	}
	for _, provision := range []func() error{k.provisionProducts, k.provisionLimits, k.provisionTerms} {
		if err := provision(); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kiosks) provisionProducts() error {
	k.products = make(map[string]kiosk.Product, len(k.Products))
	for name, p := range k.Products {
		price, err := wallet.ParseAmount(p.Price)
		proof, known := parseProof(p.Proof)
		switch {
		case !wire.IsName(name):
			return fmt.Errorf("product %q: a name is 1 to 40 lower-case letters, digits and hyphens", name)
		case err != nil:
			return fmt.Errorf("product %s: %w", name, err)
		case price <= 0:
			return fmt.Errorf("product %s: its price must be above zero", name)
		case len(p.Title) > maxTitle:
			return fmt.Errorf("product %s: its title has more than %d bytes", name, maxTitle)
		case !known:
			return fmt.Errorf("product %s: proof %q: it is %s", name, p.Proof, tierNames())
		}
		title := p.Title
		if title == "" {
			title = name
		}
		k.products[name] = kiosk.Product{Title: title, Price: price, Proof: proof, Opens: p.Opens.lasts()}
		if err := p.Opens.provision(); err != nil {
			return fmt.Errorf("product %s opens: %w", name, err)
		}
	}
	return nil
}

// parseProof reads the least that a card must prove; nothing is its number alone.
func parseProof(name string) (kiosk.Tier, bool) {
	if name == "" {
		return kiosk.TierUID, true
	}
	return kiosk.ParseTier(name)
}

func tierNames() string { return strings.Join(kiosk.TierNames(), ", ") }

func (k *Kiosks) provisionLimits() (err error) {
	given, err := parseLimits(k.Limits)
	k.limits = maps.Clone(kiosk.DefaultLimits)
	maps.Copy(k.limits, given)
	return err
}

func (k *Kiosks) provisionTerms() error {
	k.terms = make(map[string]kiosk.Terms, len(k.Kiosks))
	for name, given := range k.Kiosks {
		if !wire.IsName(name) {
			return fmt.Errorf("kiosk %q: a name is 1 to 40 lower-case letters, digits and hyphens", name)
		}
		proof, known := parseProof(given.Proof)
		if !known {
			return fmt.Errorf("kiosk %s: proof %q: it is %s", name, given.Proof, tierNames())
		}
		limits, err := parseLimits(given.Limits)
		if err != nil {
			return fmt.Errorf("kiosk %s: %w", name, err)
		}
		k.terms[name] = kiosk.Terms{Proof: proof, Limits: limits}
	}
	return nil
}

func parseLimits(all map[string]KioskLimits) (map[kiosk.Tier]kiosk.Limits, error) {
	limits := make(map[kiosk.Tier]kiosk.Limits, len(all))
	for name, given := range all {
		tier, known := kiosk.ParseTier(name)
		if !known {
			return nil, fmt.Errorf("limit %q: it is for %s", name, tierNames())
		}
		var l kiosk.Limits
		var err error
		if l.Tap, err = wallet.ParseAmount(given.Tap); err == nil {
			l.Day, err = wallet.ParseAmount(given.Day)
		}
		if err != nil {
			return nil, fmt.Errorf("limit %s: %w", name, err)
		}
		if l.Tap < 0 || l.Day < l.Tap {
			return nil, fmt.Errorf("limit %s: first what one tap may cost, then what a day may: at least as much", name)
		}
		limits[tier] = l
	}
	return limits, nil
}
