package page

import (
	"io"
	"strconv"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Cards is the page of the cards that pay from a wallet at kiosks.
type Cards struct {
	Frame

	// Exists says whether this device has a wallet. Where it has not, the page offers the
	// ways to one first.
	Exists bool

	// Claim is the code of a card that wants to be the wallet's, which a kiosk has shown;
	// empty: there is none.
	Claim string

	// Return is where the ways to a wallet lead back to: this page with its claim.
	Return string

	// Cards are the wallet's, the oldest first.
	Cards []Card
}

// Card is one card.
type Card struct {
	ID      string
	Name    string // may be empty
	Signs   bool   // it proves itself; else it shows its number alone
	Blocked bool
	Spent   wallet.Amount // today
	Tap     string        // limit of a tap, as a form has it; empty: none
	Day     string        // limit of a day; empty: none
}

// Render writes the page, as [Challenge.Render] does.
func (p Cards) Render(w io.Writer) error { return render(w, p.Lang, "cards", p.view()) }

// cardsView is Cards as its template needs it.
type cardsView struct {
	frameView
	HasWallet     bool
	Claim, Return string
	Cards         []cardView
}

// cardView is a card with a number of its own on the page.
type cardView struct {
	Card
	Number string
}

func (p Cards) view() cardsView {
	v := cardsView{frameView: p.Frame.view(!p.Exists), HasWallet: p.Exists, Claim: p.Claim, Return: p.Return}
	for i, one := range p.Cards {
		one.Name = clean(one.Name, maxName)
		v.Cards = append(v.Cards, cardView{one, strconv.Itoa(i + 1)})
	}
	return v
}
