package page

import (
	"io"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Wallet is the wallet page: what is in it, what happened, and the ways in.
type Wallet struct {
	Frame

	// Exists says whether this device has a wallet. Where it has not, the
	// page offers the ways to one and the rest is left out.
	Exists bool

	// ID is the wallet's, for a reader who writes to the publisher.
	ID string

	// Frozen says that the operator stopped it from spending.
	Frozen bool

	// Balance is what is available, Held what is set aside.
	Balance, Held wallet.Amount

	// Cards says that cards can pay from it at kiosks.
	Cards bool

	// Passes are the bundles with visits left.
	Passes []Pass

	// Entries are one page of what happened, newest first.
	Entries []Entry

	// Next is the cursor of the page with older entries; empty: there is none.
	Next string

	// First says that the page shows the newest entries. A later page shows
	// entries only.
	First bool
}

// Pass is the visits of a bundle.
type Pass struct {
	Title  string    // of what the rule sells, or the rule's name
	Visits int       // left
	Until  time.Time // zero: they do not end
}

// Entry is one line of what happened.
type Entry struct {
	Kiosk   bool // paid for a tap of a card, not for a page
	Time    time.Time
	Kind    wallet.Kind
	Amount  wallet.Amount // change of the balance; negative where it was spent
	Balance wallet.Amount // available afterwards
	Visits  int           // change of the visits
	Path    string        // of the page, linked to; empty: none
	Note    string        // may be empty
}

// Render writes the page, as [Challenge.Render] does.
func (p Wallet) Render(w io.Writer) error {
	return render(w, p.Lang, "wallet", p.view())
}

// walletView is a Wallet as its template needs it.
type walletView struct {
	frameView
	HasWallet, Frozen, First bool
	Cards                    bool
	ID                       string
	Balance, Held            wallet.Amount
	Passes                   []Pass
	Entries                  []entryView
	Older                    string // href; empty: none
	Return                   string
}

// entryView is an Entry with its words.
type entryView struct {
	Entry
	What string // the end of a catalogue key
	Href string
}

func (p Wallet) view() walletView {
	v := walletView{
		frameView: p.Frame.view(p.First || !p.Exists),
		HasWallet: p.Exists, Frozen: p.Frozen, First: p.First, Cards: p.Cards, ID: clean(p.ID, maxName),
		Balance: p.Balance, Held: p.Held, Return: WalletPath,
	}
	if p.Notice != nil && p.Notice.Key == Frozen {
		v.Frozen = false // said once is enough
	}
	for _, pass := range p.Passes {
		pass.Title = clean(pass.Title, maxName)
		v.Passes = append(v.Passes, pass)
	}
	for _, e := range p.Entries {
		v.Entries = append(v.Entries, e.view())
	}
	if p.Next != "" {
		v.Older = withLanguage(withQuery(WalletPath, "cursor", p.Next), v.Lang)
	}
	return v
}

func (e Entry) view() entryView {
	v := entryView{Entry: e, What: what(e)}
	v.Note = clean(e.Note, maxNote)
	if e.Path != "" {
		v.Href, v.Path = localPath(e.Path), clean(e.Path, maxShown)
	}
	return v
}

// what is the catalogue's word for an entry.
func what(e Entry) string {
	if e.Kiosk {
		return "kiosk"
	}
	switch e.Kind {
	case wallet.KindTransfer:
		if e.Amount < 0 {
			return "sent"
		}
		return "received"
	case wallet.KindRefund, wallet.KindCreate, wallet.KindCharge, wallet.KindVisit, wallet.KindBuy,
		wallet.KindDeliver, wallet.KindHold, wallet.KindCapture, wallet.KindRelease,
		wallet.KindRekey, wallet.KindFreeze, wallet.KindRedeem:
		return e.Kind.String()
	}
	return "other"
}
