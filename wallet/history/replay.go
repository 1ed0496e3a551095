package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Target is where a history is carried out again.
type Target struct {
	// Currency is the target's. A history in another one is refused.
	Currency wallet.Currency

	// Open opens the ledger, which takes the time from clock alone.
	Open func(clock func() time.Time) (wallet.Ledger, error)

	// Now tells the time after the last deed.
	Now func() time.Time
}

// The reasons for which a replay ends before it is done.
var (
	// ErrCurrency: the history is in another currency than the target.
	ErrCurrency = errors.New("the history is in another currency")

	// ErrNotEmpty: something has happened in the target already.
	ErrNotEmpty = errors.New("the ledger is not empty; a history is imported into one that is")

	// ErrDiffers: the target does not do what the source did.
	ErrDiffers = errors.New("the ledger does not do what the history says")
)

// Replay carries out a history that Write has written, on an empty ledger, which
// it opens and closes. It reads the file twice: nothing is opened before the
// first reading has found it whole. When it returns nil, the target's books have
// been recomputed and have the sums of the file. After an error other than
// ErrFile, ErrCurrency and ErrNotEmpty the target may have a part of the history,
// and must be emptied before the next attempt.
func Replay(ctx context.Context, file io.ReadSeeker, to Target) (s Summary, err error) {
	begin := to.Now()
	s, err = read(file, func(number int, d Deed) error {
		if number == firstDeed {
			begin = d.Time
		}
		return ctx.Err()
	})
	switch {
	case err != nil:
		return s, err
	case s.Currency != to.Currency.String():
		return s, fmt.Errorf("%w: %s, not %s", ErrCurrency, s.Currency, to.Currency)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return s, err
	}
	c := &clock{stood: begin}
	l, err := to.Open(c.now)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := empty(ctx, l); err != nil {
		return s, err
	}
	p := player{l: l, ids: make(map[ofWallet]wallet.OpID)}
	again, err := read(file, func(number int, d Deed) error {
		c.set(d.Time)
		return p.repeat(ctx, number, d)
	})
	if err == nil && again != s {
		err = fmt.Errorf("%w: it changed while it was read", ErrFile)
	}
	if err != nil {
		return s, fmt.Errorf("%w; what has been imported by then must be removed before the next attempt", err)
	}
	c.follow(to.Now)
	return s, compare(ctx, l, s)
}

// firstDeed is the line of the first deed.
const firstDeed = 2

// empty makes sure that nothing has happened in a ledger.
func empty(ctx context.Context, l wallet.Ledger) error {
	audit, err := l.Verify(ctx)
	if err != nil {
		return err
	}
	wallets, _, err := l.Wallets(ctx, "", 1)
	if err != nil {
		return err
	}
	vouchers, _, err := l.Vouchers(ctx, "", 1)
	if err != nil {
		return err
	}
	if audit.Entries > 0 || len(wallets) > 0 || len(vouchers) > 0 {
		return fmt.Errorf("%w: %d entries", ErrNotEmpty, audit.Entries)
	}
	return nil
}

// compare recomputes the books and compares them with the history.
func compare(ctx context.Context, l wallet.Ledger, s Summary) error {
	audit, err := verify(ctx, l)
	if err != nil {
		return err
	}
	if found := sumsOf(audit); found != s.Sums {
		return fmt.Errorf("%w: it has %v, and was to have %v", ErrDiffers, found, s.Sums)
	}
	return nil
}
