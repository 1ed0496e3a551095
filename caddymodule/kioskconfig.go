package caddymodule

import (
	"fmt"
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

	// What one card may cost, by what it proves: "uid", its number alone, or "sun", a
	// message that it has signed. Default: 2.00 a tap and 10.00 a day, and 20.00 and
	// 100.00.
	Limits map[string]KioskLimits `json:"limits,omitempty"`

	// How long the money of a tap is set aside for the machine to do its part, a second
	// to 10 minutes. Default: 30 seconds.
	Hold caddy.Duration `json:"hold,omitempty"`

	// How long a second tap of the same card for the same thing at the same kiosk is
	// taken for impatience, at most a minute. Default: 3 seconds.
	Guard caddy.Duration `json:"guard,omitempty"`

	products map[string]kiosk.Product
	limits   map[kiosk.Tier]kiosk.Limits
}

// KioskProduct is one thing to buy.
type KioskProduct struct {
	Price string `json:"price"`           // a decimal
	Title string `json:"title,omitempty"` // default: the name
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
	k.products = make(map[string]kiosk.Product, len(k.Products))
	for name, p := range k.Products {
		price, err := wallet.ParseAmount(p.Price)
		switch {
		case !wire.IsName(name):
			return fmt.Errorf("product %q: a name is 1 to 40 lower-case letters, digits and hyphens", name)
		case err != nil:
			return fmt.Errorf("product %s: %w", name, err)
		case price <= 0:
			return fmt.Errorf("product %s: its price must be above zero", name)
		case len(p.Title) > maxTitle:
			return fmt.Errorf("product %s: its title has more than %d bytes", name, maxTitle)
		}
		title := p.Title
		if title == "" {
			title = name
		}
		k.products[name] = kiosk.Product{Title: title, Price: price}
	}
	return k.provisionLimits()
}

func (k *Kiosks) provisionLimits() error {
	k.limits = make(map[kiosk.Tier]kiosk.Limits)
	for tier, limits := range kiosk.DefaultLimits {
		k.limits[tier] = limits
	}
	for name, given := range k.Limits {
		tier, known := kiosk.ParseTier(name)
		if !known {
			return fmt.Errorf("limit %q: it is for uid or for sun", name)
		}
		var l kiosk.Limits
		var err error
		if l.Tap, err = wallet.ParseAmount(given.Tap); err == nil {
			l.Day, err = wallet.ParseAmount(given.Day)
		}
		if err != nil {
			return fmt.Errorf("limit %s: %w", name, err)
		}
		if l.Tap < 0 || l.Day < l.Tap {
			return fmt.Errorf("limit %s: first what one tap may cost, then what a day may: at least as much", name)
		}
		k.limits[tier] = l
	}
	return nil
}
