package offline

import (
	"errors"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// seenWithin is how long ago a card must have paid here online to be granted something
// without a lease.
const seenWithin = 30 * 24 * time.Hour

// use is what records come to that the paywall does not have yet.
type use struct {
	sum  wallet.Amount
	taps int
}

func (u *use) add(amount wallet.Amount) { u.sum, u.taps = u.sum+amount, u.taps+1 }

// question is whether a card may have something.
type question struct {
	card    known
	price   wallet.Amount
	product wire.Product
	terms   *wire.Offline

	leased, risked, all use // by this card from its lease, by it without, by all without

	now     time.Time
	trust   Trust
	contact time.Time // when the paywall last answered
	news    time.Time // when it last said which cards are denied
}

// The reasons why a kiosk grants nothing by itself.
var (
	errOff     = errors.New("this kiosk grants nothing by itself")
	errOnline  = errors.New("there is none of the product without the paywall")
	errProof   = errors.New("the card proves less than is wanted")
	errClock   = errors.New("the clock has been turned back, or was not set since the start")
	errNews    = errors.New("the list of denied cards is too old")
	errBounds  = errors.New("it is more than the card's lease, or than it may without one")
	errKiosk   = errors.New("it is more than this kiosk may grant before the paywall has its records")
	errContact = errors.New("the paywall has not answered for too long")
)

// lease is from which lease the card pays; the zero one: without.
func (q question) lease() (wallet.OpID, error) {
	switch {
	case q.terms == nil:
		return wallet.OpID{}, errOff
	case q.product.Online:
		return wallet.OpID{}, errOnline
	case !q.card.Mutual && (q.terms.Proof != "uid" || q.product.Proof != ""),
		q.product.Proof == "emv": // no kiosk can have a bank card proved by the paywall
		return wallet.OpID{}, errProof
	case q.trust == Back:
		return wallet.OpID{}, errClock
	case q.now.Sub(q.news) > milliseconds(q.terms.Denied):
		return wallet.OpID{}, errNews
	case q.price <= 0 || q.price > q.card.Tap:
		return wallet.OpID{}, errBounds
	case q.card.Lease != (wallet.OpID{}) && q.now.UnixMilli() < q.card.Until && q.leased.sum+q.price <= q.card.Left:
		return q.card.Lease, nil
	}
	return wallet.OpID{}, q.risk()
}

// risk is why the card may not have it without a lease.
func (q question) risk() error {
	most, err1 := readRisk(q.terms.Risk)
	own, err2 := readRisk(q.card.Risk)
	switch {
	case err1 != nil, err2 != nil:
		return errors.Join(err1, err2)
	case !q.card.Mutual:
		return errBounds
	case q.trust != Sure:
		return errClock
	case q.now.Sub(q.contact) > milliseconds(q.terms.Age), q.now.Sub(time.UnixMilli(q.card.Seen)) > seenWithin:
		return errContact
	case q.price > min(most.tap, own.tap), q.card.Sum+q.risked.sum+q.price > min(most.card, own.card),
		q.card.Taps+q.risked.taps >= min(q.terms.Risk.Taps, q.card.Risk.Taps):
		return errBounds
	case q.all.sum+q.price > most.total, q.all.taps >= q.terms.Risk.Count:
		return errKiosk
	}
	return nil
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

type amounts struct{ tap, card, total wallet.Amount }

func readRisk(r wire.Risk) (a amounts, err error) {
	for to, text := range map[*wallet.Amount]string{&a.tap: r.Tap, &a.card: r.Card, &a.total: r.Total} {
		if *to, err = readAmount(text); err != nil {
			return a, err
		}
	}
	return a, nil
}

// readAmount reads what a paywall says; none is zero.
func readAmount(text string) (wallet.Amount, error) {
	if text == "" {
		return 0, nil
	}
	return wallet.ParseAmount(text)
}
