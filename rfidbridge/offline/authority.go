package offline

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Options are what an Authority is made of.
type Options struct {
	Path    string                    // of its file
	Key     func() ed25519.PrivateKey // the machine's
	Paywall Paywall

	Now    func() time.Time     // the machine's clock
	Since  func() time.Duration // of something in the past: it never goes back
	Random io.Reader
	Log    *slog.Logger
}

// Authority grants taps by itself. It is safe for concurrent use.
type Authority struct {
	Options
	ids  [32]byte // key of how cards are told
	file file

	mu     sync.Mutex
	clock  clock
	state  state
	unsent []grant           // that the journal has, in their order
	asking map[tap.ID]string // the tickets of cards that want a lease
	dirty  bool              // the file is older than the state
	broken error             // why the paywall does not take the records
}

// grant is a record that the paywall does not have yet.
type grant struct {
	wire.Record
	signed   wire.Signed
	price    wallet.Amount
	reversed bool
}

// New is the authority of a machine. ErrState where its file is not its own: the Authority
// knows no card then, and writes the file anew.
func New(o Options) (*Authority, error) {
	a := &Authority{Options: o, clock: clock{wall: o.Now, since: o.Since}, asking: make(map[tap.ID]string)}
	ids, err := a.derive("how a kiosk tells cards")
	if err != nil {
		return nil, err
	}
	sealing, err := a.derive("what a kiosk knows of cards")
	if err != nil {
		return nil, err
	}
	a.ids = ids
	if a.file, err = newFile(o.Path, sealing); err != nil {
		return nil, err
	}
	a.state, err = a.file.load()
	a.clock.noted = time.UnixMilli(a.state.Noted)
	return a, err
}

func (a *Authority) derive(label string) (key [32]byte, err error) {
	derived, err := hkdf.Key(sha256.New, a.Key().Seed(), nil, "caddy-paywall "+label, len(key))
	copy(key[:], derived)
	return key, err
}

// Products are those that the paywall sold when it last answered, and in which currency.
func (a *Authority) Products() (products []wire.Product, currency string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.Products, a.state.Currency
}

// Decides reports whether there is anything that this kiosk may grant.
func (a *Authority) Decides() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.Terms != nil && len(a.state.Cards) > 0 && a.broken == nil
}

// Leases are how many cards have something left of a lease.
func (a *Authority) Leases() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, _ := a.clock.now()
	for _, one := range a.state.Cards {
		if one.Lease != (wallet.OpID{}) && one.Left > 0 && now.UnixMilli() < one.Until {
			n++
		}
	}
	return n
}

// Resume implements [tap.Authority].
func (a *Authority) Resume(grants []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsent = nil
	for _, text := range grants {
		g, err := readGrant(text)
		if err != nil {
			return err
		}
		if a.signed(g) && g.Seq > a.state.Head.Seq {
			a.unsent = append(a.unsent, g)
		}
	}
	return nil
}

// signed reports whether a record is this machine's: a journal may have those of the kiosk
// that it was before it was enrolled anew, which the paywall takes from nobody any more.
func (a *Authority) signed(g grant) bool {
	_, _, err := g.signed.Verify(a.Key().Public().(ed25519.PublicKey))
	return err == nil
}

func readGrant(text string) (g grant, err error) {
	if err = json.Unmarshal([]byte(text), &g.signed); err == nil {
		g.Record, err = g.signed.Read()
	}
	if err == nil {
		g.price, err = wallet.ParseAmount(g.Price)
	}
	g.reversed = len(g.signed.Reversal) > 0
	return g, err
}

func (g grant) text() (string, error) {
	text, err := json.Marshal(g.signed)
	return string(text), err
}

// Grant implements [tap.Authority].
func (a *Authority) Grant(p tap.Presented, t wire.Tap, product wire.Product) (string, wire.Reason, error) {
	one, _, err := a.judge(p.ID, product)
	if err != nil {
		return "", a.refused(err), nil
	}
	if one.Mutual {
		if reason, err := a.prove(p, one); err != nil {
			a.Log.Info("a card does not prove itself", "error", err)
			return "", reason, nil
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	one, from, err := a.judgeLocked(p.ID, product) // the clock may have moved, and news have come
	if err != nil {
		return "", a.refused(err), nil
	}
	head := a.head()
	r := wire.Record{
		Tap: t.ID, Seq: head.Seq + 1, Previous: head.Hash, Time: a.clock.noted.UnixMilli(),
		Product: product.Name, Price: product.Price, Handle: one.Handle, Lease: from,
	}
	signed, err := r.Sign(a.Key())
	if err != nil {
		return "", "", err
	}
	price, err := wallet.ParseAmount(product.Price)
	if err != nil {
		return "", "", err
	}
	g := grant{Record: r, signed: signed, price: price}
	a.unsent = append(a.unsent, g)
	text, err := g.text()
	return text, "", err
}

// errUnknown is a card that has not paid here online, or whose holder does not allow it.
var errUnknown = errors.New("the card is not known here")

var errDenied = errors.New("the card was denied by the paywall")

// refused is what whoever has tapped is told: what is not for the kiosk to judge is for the
// paywall to say, when it answers.
func (a *Authority) refused(why error) wire.Reason {
	a.Log.Info("this kiosk grants nothing by itself", "why", why)
	if errors.Is(why, errDenied) {
		return wire.Blocked
	}
	return ""
}

func (a *Authority) judge(id tap.ID, product wire.Product) (known, wallet.OpID, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.judgeLocked(id, product)
}

// judgeLocked decides, with a.mu held, whether a card may have a product.
func (a *Authority) judgeLocked(id tap.ID, product wire.Product) (known, wallet.OpID, error) {
	one, there := a.state.Cards[id]
	switch {
	case a.broken != nil:
		return known{}, wallet.OpID{}, a.broken
	case !there || id == (tap.ID{}):
		return known{}, wallet.OpID{}, errUnknown
	case one.Denied:
		return *one, wallet.OpID{}, errDenied
	}
	price, err := wallet.ParseAmount(product.Price)
	if err != nil {
		return *one, wallet.OpID{}, err
	}
	q := question{card: *one, price: price, product: product, terms: a.state.Terms, contact: time.UnixMilli(a.state.Contact), news: time.UnixMilli(a.state.News)}
	q.now, q.trust = a.clock.now()
	for _, g := range a.unsent {
		switch {
		case g.reversed:
		case g.Lease != (wallet.OpID{}):
			if g.Lease == one.Lease {
				q.leased.add(g.price)
			}
		default:
			q.all.add(g.price)
			if g.Handle == one.Handle {
				q.risked.add(g.price)
			}
		}
	}
	from, err := q.lease()
	return *one, from, err
}

// head is where the chain ends, with a.mu held.
func (a *Authority) head() wire.Head {
	if n := len(a.unsent); n > 0 {
		return a.unsent[n-1].signed.Head(a.unsent[n-1].Record)
	}
	return a.state.Head
}

// prove has the card prove that it has the key that this kiosk was given for it.
func (a *Authority) prove(p tap.Presented, one known) (wire.Reason, error) {
	if p.Exchange == nil || len(one.Key) != len(card.Key{}) {
		return wire.ProofNeeded, errProof
	}
	var torn error
	err := card.Prove(one.Kind, card.Offline, card.Key(one.Key), a.Random, func(command []byte) (said []byte, err error) {
		said, torn = p.Exchange(command)
		return said, torn
	})
	switch {
	case torn != nil: // it was taken away
		return "", torn
	case err != nil:
		return wire.Forged, err
	}
	return "", nil
}

// Reverse implements [tap.Authority].
func (a *Authority) Reverse(text string) (string, error) {
	g, err := readGrant(text)
	if err != nil {
		return "", err
	}
	g.signed = g.signed.Reverse(a.Key())
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.unsent {
		if a.unsent[i].Seq == g.Seq {
			a.unsent[i].signed, a.unsent[i].reversed = g.signed, true
		}
	}
	return g.text()
}

// save writes the state down, with a.mu held.
func (a *Authority) save() error {
	a.clock.now()
	a.state.Noted = a.clock.noted.UnixMilli()
	if err := a.file.save(&a.state); err != nil {
		return fmt.Errorf("the kiosk cannot keep what it knows of cards: %w", err)
	}
	a.dirty = false
	return nil
}
