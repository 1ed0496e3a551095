package meter

import (
	"errors"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const dime = wallet.Unit / 10

func view(price wallet.Amount) Rule {
	return Rule{Name: "/articles/*", Price: price, Window: DefaultWindow}
}

func TestARuleSellsWhatItSays(t *testing.T) {
	letter := Bundle{Visits: 10, Price: 10 * wallet.Unit, Validity: 30 * 24 * time.Hour}
	for name, c := range map[string]struct {
		rule   Rule
		offers []Offer
	}{
		"a view":            {view(dime), []Offer{{Name: OfferView, Price: dime}}},
		"a bundle, no view": {Rule{Bundle: letter}, []Offer{{OfferBundle, letter.Price, 10, letter.Validity}}},
		"both, the view first": {
			Rule{Price: dime, Bundle: letter},
			[]Offer{{Name: OfferView, Price: dime}, {OfferBundle, letter.Price, 10, letter.Validity}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			offers := c.rule.Offers()
			if len(offers) != len(c.offers) {
				t.Fatalf("offers %+v, want %+v", offers, c.offers)
			}
			for i, o := range offers {
				if o != c.offers[i] {
					t.Errorf("offer %d is %+v, want %+v", i, o, c.offers[i])
				}
				if found, ok := c.rule.Offer(o.Name); !ok || found != o {
					t.Errorf("Offer(%q) = %+v, %v", o.Name, found, ok)
				}
			}
			if c.rule.Lead() != c.offers[0] {
				t.Errorf("the lead is %+v, want the first offer", c.rule.Lead())
			}
		})
	}
}

func TestAnOfferThatIsNotSoldIsNotFound(t *testing.T) {
	for _, name := range []string{"", OfferBundle, "VIEW", "view "} {
		if o, ok := view(dime).Offer(name); ok {
			t.Errorf("Offer(%q) found %+v", name, o)
		}
	}
}

func TestARuleThatCannotBeSoldIsRefused(t *testing.T) {
	bundle := func(b Bundle) Rule { return Rule{Name: "r", Bundle: b, Window: DefaultWindow} }
	long := make([]byte, wallet.MaxRule+1)
	for name, r := range map[string]Rule{
		"without a name":              {Price: dime, Window: DefaultWindow},
		"with a name too long":        {Name: string(long), Price: dime, Window: DefaultWindow},
		"selling nothing":             {Name: "r", Window: DefaultWindow},
		"at a negative price":         view(-dime),
		"at a price beyond the limit": view(wallet.MaxAmount + 1),
		"without a window":            {Name: "r", Price: dime},
		"with a window too long":      {Name: "r", Price: dime, Window: wallet.MaxWindow + 1},
		"of a bundle without visits":  bundle(Bundle{Price: dime}),
		"of negative visits":          bundle(Bundle{Visits: -1, Price: dime}),
		"of too many visits":          bundle(Bundle{Visits: wallet.MaxVisits + 1, Price: dime}),
		"of a bundle for nothing":     bundle(Bundle{Visits: 10}),
		"of a negative validity":      bundle(Bundle{Visits: 10, Price: dime, Validity: -1}),
		"of a validity too short":     bundle(Bundle{Visits: 10, Price: dime, Validity: time.Millisecond}),
		"of a validity too long":      bundle(Bundle{Visits: 10, Price: dime, Validity: wallet.MaxValidity + 1}),
	} {
		if err := r.Check(); !errors.Is(err, ErrRule) {
			t.Errorf("a rule %s: error %v, want ErrRule", name, err)
		}
	}
}

// What Check lets through, a ledger takes: otherwise a price that loads would
// fail on the first reader.
func TestWhatPassesCheckPassesTheLedgersLimits(t *testing.T) {
	for _, r := range []Rule{
		view(1), view(wallet.MaxAmount),
		{Name: "r", Window: wallet.MinWindow, Bundle: Bundle{Visits: 1, Price: 1}},
		{Name: "r", Window: wallet.MaxWindow, Bundle: Bundle{wallet.MaxVisits, wallet.MaxAmount, wallet.MaxValidity}},
	} {
		if err := r.Check(); err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		charge := wallet.Charge{Rule: r.Name, Resource: Resource("h", "/p"), Price: r.Price, Window: r.Window}
		if err := charge.Check(); err != nil {
			t.Errorf("%+v makes a charge the ledger refuses: %v", r, err)
		}
		if b := r.Bundle; b.Visits > 0 {
			buy := wallet.Purchase{Rule: r.Name, Price: b.Price, Visits: b.Visits, Validity: b.Validity}
			if err := buy.Check(); err != nil {
				t.Errorf("%+v makes a purchase the ledger refuses: %v", r, err)
			}
		}
	}
}
