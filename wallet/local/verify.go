package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Verify implements [wallet.Auditor]. It copies the balances a piece at a time, so
// that no operation waits for long, and notes at which position of the journal each
// piece was copied. Then it folds the journal beside the operations, and compares
// each piece at its own position.
func (l *Ledger) Verify(ctx context.Context) (wallet.Audit, error) {
	var live books
	for more := true; more; {
		if _, err := l.begin(ctx); err != nil {
			return wallet.Audit{}, err
		}
		if more = l.state.purses.list.length-live.copied > pieceSize; more {
			live.copy(l.state, pieceSize, l.position())
		}
		l.mu.Unlock()
	}
	r, to, done, err := l.audience(ctx, func() { live.finish(l.state, l.position()) })
	if err != nil {
		return wallet.Audit{}, err
	}
	defer done()
	a := audit{live: &live, folded: newState()}
	err = r.walk(ctx, 0, 0, to, func(r *record, at uint64) error {
		a.reach(at)
		return a.folded.fold(r, at)
	})
	if err != nil {
		return wallet.Audit{}, err
	}
	a.reach(everything)
	return a.finish(), nil
}

// pieceSize is how many wallets are copied at once.
const pieceSize = 1 << 12

// books are the balances of the ledger: the wallets a piece at a time, and the rest
// with the last piece.
type books struct {
	pieces   []piece
	copied   uint32 // wallets in the pieces
	accounts map[string]wallet.Amount
	holds    wallet.Amount // of all open holds
}

// piece is the balances of some wallets at one instant.
type piece struct {
	first    uint32 // index of the first of them
	wallets  []walletBook
	position uint64 // behind everything that they rest on
}

type walletBook struct {
	id              wallet.WalletID
	available, held wallet.Amount
}

func (s *state) book(i uint32) walletBook {
	if i >= s.purses.list.length {
		return walletBook{}
	}
	w := s.purses.list.at(i)
	return walletBook{w.id, w.available, w.held}
}

// copy adds the next n wallets.
func (b *books) copy(s *state, n uint32, position uint64) {
	p := piece{first: b.copied, wallets: make([]walletBook, n), position: position}
	for i := range p.wallets {
		p.wallets[i] = s.book(p.first + uint32(i))
	}
	b.pieces = append(b.pieces, p)
	b.copied += n
}

// finish adds all there is besides.
func (b *books) finish(s *state, position uint64) {
	b.copy(s, s.purses.list.length-b.copied, position)
	b.accounts = s.accounts.all()
	b.holds = s.holds.sum()
}
