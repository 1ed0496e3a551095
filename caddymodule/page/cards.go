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

	// Owed is for taps at kiosks that were cut off, which the wallet could not pay.
	Owed wallet.Amount

	// Cards are the wallet's, the oldest first.
	Cards []Card
}

// Card is one card.
type Card struct {
	ID    string
	Name  string        // may be empty
	Signs bool          // it proves itself; else it shows its number alone
	Spent wallet.Amount // today
	Tap   string        // limit of a tap, as a form has it; empty: none
	Day   string        // limit of a day; empty: none

	Blocked    bool
	PINBlocked bool // by wrong PINs
	Replaced   bool // another card has its place
	Pending    bool // it has not got another one's place yet

	PIN   bool          // it has one
	Above wallet.Amount // what is paid without it in a day

	Offline    bool // it may pay at kiosks that are cut off
	MayOffline bool // its holder can allow that

	Open bool // shown with all that can be done with it
}

// Render writes the page, as [Challenge.Render] does.
func (p Cards) Render(w io.Writer) error { return render(w, p.Lang, "cards", p.view()) }

// cardsView is Cards as its template needs it.
type cardsView struct {
	frameView
	HasWallet     bool
	Claim, Return string
	Owed          wallet.Amount
	Cards         []cardView
	Replaced      []cardView
}

// cardView is a card with a number of its own on the page.
type cardView struct {
	Card
	Number  string
	Limit   string // Above, as a form has it; empty: at every tap
	Removal string // where its form leads
}

func (p Cards) view() cardsView {
	v := cardsView{frameView: p.Frame.view(!p.Exists), HasWallet: p.Exists, Claim: p.Claim, Return: p.Return, Owed: p.Owed}
	for i, one := range p.Cards {
		one.Name = clean(one.Name, maxName)
		shown := cardView{Card: one, Number: strconv.Itoa(i + 1), Removal: v.Action(RemoveCardPath)}
		if one.Above > 0 {
			shown.Limit = p.Currency.Format(one.Above)
		}
		if one.Replaced {
			v.Replaced = append(v.Replaced, shown)
		} else {
			v.Cards = append(v.Cards, shown)
		}
	}
	return v
}
