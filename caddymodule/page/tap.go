package page

import (
	"io"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Tap is the page that a card opens on a phone, and the one that waits for that.
type Tap struct {
	Frame

	// Token is what the page's forms send back of the card that was read; empty: none was.
	Token string

	// Title and Text say what has become of it, in the words of a kiosk's screen; empty:
	// nothing is to be said. Good makes it good news.
	Title, Text string
	Good        bool

	// Blocked says that the card is.
	Blocked bool

	// Page is the title of the page that this phone would like to pay for, Price what it
	// costs; an empty title: there is none.
	Page  string
	Price wallet.Amount

	// Ask has the page ask for the card's PIN; it is sent back with that. Wrong: the last
	// one was.
	Ask   string
	Wrong bool
}

// Render writes the page, as [Challenge.Render] does.
func (p Tap) Render(w io.Writer) error { return render(w, p.Lang, "tap", p.view()) }

type tapView struct {
	frameView
	Token, Heading, Text, Page, Ask string
	Good, Blocked, Wrong            bool
	Price                           wallet.Amount
}

func (p Tap) view() tapView {
	return tapView{
		frameView: p.Frame.view(false), Token: p.Token, Heading: clean(p.Title, maxTitle), Text: clean(p.Text, maxTeaser),
		Page: clean(p.Page, maxTitle), Ask: p.Ask, Good: p.Good, Blocked: p.Blocked, Wrong: p.Wrong, Price: p.Price,
	}
}
