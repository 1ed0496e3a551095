package history

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Source is a ledger that can tell all that happened in it.
type Source interface {
	// History calls yield with everything that took effect up to now, in an
	// order in which it can be done again, and each wallet's in the order of its
	// entries. It works beside running operations, and ends with the first error
	// that yield returns. A deed is yield's to keep.
	//
	// A hold that ended by itself is no deed: it ends again by the clock. But
	// where the clock was put back, a deed may be older than an end that came
	// before it: a Moment of that end then stands between them.
	History(ctx context.Context, yield func(Deed) error) error
}

// Deed is an operation that took effect.
type Deed struct {
	// Time is when it took effect, by the ledger's clock, to the millisecond.
	Time time.Time

	// Op is one of the operations of package wallet, such as a wallet.Charge, or
	// a Moment. It has what is needed to do it again with the same result:
	//
	// The Generation is the one that the wallet had. A Charge that took a visit
	// may have the Price zero. A Settlement that was asked for without a Charge
	// has none, since the id may be forgotten by then; any other has it. An end
	// that is later than the operation made it, because there was a later one,
	// may be told as its own.
	Op any

	// Amount and Balance are those of its receipt.
	Amount, Balance wallet.Amount
}

// Moment is a deed that nobody did: at its time the holds that had ended came
// back.
type Moment struct{}
