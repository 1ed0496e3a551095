package page

import (
	"io"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Offer is one way to pay for a page.
type Offer struct {
	// Name is the value of the form field offer: "view" or "bundle-10".
	Name string

	// Visits is how many views a bundle holds; zero: this is a single view.
	Visits int

	// Price is what it costs.
	Price wallet.Amount

	// Validity is how long a bundle's visits last; zero: they do not end.
	Validity time.Duration

	// Affordable makes it a button. An offer that is not is shown as text.
	Affordable bool
}

// Challenge is the 402 page: what a page costs, and how to pay.
type Challenge struct {
	Frame

	// Title is the page's own; empty: a neutral one. Teaser may be empty.
	Title, Teaser string

	// Window is how long a view stays paid for; zero: the line about it is
	// left out.
	Window time.Duration

	// Offers are shown in this order. The first single view, else the first
	// bundle, is the large one.
	Offers []Offer

	// Quote is what the pay forms send back.
	Quote string

	// Return is where the reader goes after redeeming or recovering.
	Return string

	// Cards says that a card which a phone reads can pay for it.
	Cards bool

	// HasWallet says whether Balance, Visits and Affordable mean anything. A
	// device whose credential is revoked has no wallet.
	HasWallet bool

	// Balance is what the wallet has available.
	Balance wallet.Amount

	// Visits is how many visits the wallet has left for this page. Above
	// zero the main button takes one of them, by the offer "view".
	Visits int
}

// Render writes the page in UTF-8. Nothing is written where it fails before
// the last byte is ready.
func (c Challenge) Render(w io.Writer) error {
	return render(w, c.Lang, "challenge", c.view())
}

// challengeView is a Challenge as its template needs it.
type challengeView struct {
	frameView
	Title, Teaser string
	Window        time.Duration
	Quote         string
	Return        string
	HasWallet     bool
	Balance       wallet.Amount
	Visits        int
	Cards         bool

	WindowKey string // how the window is explained

	Main    *Offer  // the large one; nil: a visit is, or nothing is offered
	Others  []Offer // the rest
	CanPay  bool    // something has a button: vouchers are not the way on
	After   wallet.Amount
	Missing wallet.Amount // to afford Main; zero: nothing, or money is not the reason
}

func (c Challenge) view() challengeView {
	v := challengeView{
		frameView: c.Frame.view(true),
		Title:     clean(c.Title, maxTitle), Teaser: clean(c.Teaser, maxTeaser),
		Window: c.Window, Quote: c.Quote, Return: localPath(c.Return),
		HasWallet: c.HasWallet, Balance: c.Balance, Cards: c.Cards && mainPrice(c.Offers),
	}
	if c.HasWallet {
		v.Visits = max(0, c.Visits)
	}
	v.arrange(c.Offers)
	v.WindowKey = "challenge.window"
	if v.Main != nil && v.Main.Visits > 0 {
		v.WindowKey = "challenge.window_bundle"
	}
	if v.Main != nil && c.HasWallet {
		v.After = c.Balance - v.Main.Price
		v.Missing = max(0, -v.After)
	}
	return v
}

// arrange decides which offer is the large one. Visits that are paid for come
// before money: nobody shall pay for a view and still hold visits for it.
func (v *challengeView) arrange(offers []Offer) {
	v.CanPay = v.Visits > 0
	main := mainOffer(offers)
	for i, offer := range offers {
		if v.Visits > 0 && offer.Visits == 0 {
			continue
		}
		offer.Affordable = offer.Affordable && v.HasWallet
		v.CanPay = v.CanPay || offer.Affordable
		if i == main && v.Visits == 0 {
			v.Main = &offer
		} else {
			v.Others = append(v.Others, offer)
		}
	}
}

// mainPrice reports whether views are sold singly.
func mainPrice(offers []Offer) bool {
	return slices.ContainsFunc(offers, func(o Offer) bool { return o.Visits == 0 })
}

// mainOffer is the index of the first single view, else of the first bundle.
func mainOffer(offers []Offer) int {
	for i, offer := range offers {
		if offer.Visits == 0 {
			return i
		}
	}
	return 0
}

// offer is the text of an offer: "10 visits for $10.00".
func (l locale) offer(c wallet.Currency, o Offer) (string, error) {
	price := Money(l.tag, c, o.Price)
	if o.Visits == 0 {
		return l.text("offer.view", "price", price)
	}
	visits, err := l.things("visits", o.Visits)
	if err != nil {
		return "", err
	}
	return l.text("offer.bundle", "visits", visits, "price", price)
}
