package redis

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Verify implements [wallet.Auditor]. For each shard it copies the balances a piece at a
// time, each with its place in the journal, and then folds the journal and compares each
// piece at its place. Operations go on meanwhile. The journal must be whole: in the
// servers' memory, and before that in this process's archive.
//
// Money on its way between shards counts as available: it is its receiver's.
func (l *Ledger) Verify(ctx context.Context) (wallet.Audit, error) {
	var sum wallet.Audit
	for _, s := range l.shards {
		live, err := s.copyBooks(ctx)
		if err != nil {
			return wallet.Audit{}, err
		}
		a := shardAudit{live: live, folded: newBooks()}
		err = s.journal(ctx, 1, live.sequence, func(e entry) error {
			all, err := records(e.sequence, e.text)
			if err != nil {
				return err
			}
			a.reach(e.sequence)
			for i := range all {
				if err := a.folded.fold(&all[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return wallet.Audit{}, err
		}
		a.reach(live.sequence + 1)
		a.finish(&sum)
	}
	sum.Sum += sum.Available + sum.Held + sum.Site + sum.Funding
	return sum, nil
}

// liveBooks are a shard's balances as the servers have them.
type liveBooks struct {
	sequence uint64 // at which the accounts were read: behind every piece
	accounts map[string]wallet.Amount
	pieces   []piece
}

// piece is the balances of some wallets behind an entry of the journal.
type piece struct {
	sequence uint64
	purses   []purse
}

// pieceSize is how many wallets are copied with one question, about.
const pieceSize = 1000

func (s *shard) copyBooks(ctx context.Context) (*liveBooks, error) {
	live := &liveBooks{accounts: make(map[string]wallet.Amount)}
	if _, err := s.ask(ctx, &question{ask: askFind, rest: make([]byte, idKeySize+6)}); err != nil {
		return nil, err // it has brought to an end what is due
	}
	for cursor, more := wallet.Amount(0), true; more; more = cursor != 0 {
		a, err := s.ask(ctx, &question{ask: askScan, amount: cursor, generation: pieceSize})
		if err != nil {
			return nil, err
		}
		p := piece{sequence: a.number}
		for _, text := range a.texts[int(a.position)-1:][:a.visits] {
			one, err := decodePurse(wallet.WalletID([]byte(text[:16])), text[16:], a.now)
			if err != nil {
				return nil, err
			}
			p.purses = append(p.purses, one)
		}
		live.pieces = append(live.pieces, p)
		cursor = a.amount
	}
	return live, live.readAccounts(ctx, s)
}

// accountPrefix is what the names of accounts begin with in the meta hash; transit is
// the account of what is on its way to other shards.
const (
	accountPrefix = "$"
	transit       = "~"
)

func (b *liveBooks) readAccounts(ctx context.Context, s *shard) error {
	return s.read(ctx, func(ctx context.Context, c *goredis.Client) error {
		fields, err := c.HGetAll(ctx, s.fixed[keyMeta]).Result()
		if err != nil {
			return err
		}
		b.sequence, _ = strconv.ParseUint(fields["seq"], 10, 64)
		for field, text := range fields {
			name, is := strings.CutPrefix(field, accountPrefix)
			if !is {
				continue
			}
			balance, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fmt.Errorf("%w: account %q has %q", wallet.ErrCorrupt, name, text)
			}
			b.accounts[name] = wallet.Amount(balance)
		}
		return nil
	})
}

// shardAudit compares the books of a shard with those that its journal gives.
type shardAudit struct {
	live        *liveBooks
	folded      *books
	compared    int // pieces
	seen        map[wallet.WalletID]bool
	differences []wallet.Difference

	// What the ledger has beyond the journal, in all wallets. A difference stays as it
	// is while operations go on, so that it is also the one at the end.
	availableBeyond, heldBeyond wallet.Amount
}

// reach is called before an entry of the journal is folded: it compares the pieces that
// were copied before it was written.
func (a *shardAudit) reach(sequence uint64) {
	if a.seen == nil {
		a.seen = make(map[wallet.WalletID]bool)
	}
	for ; a.compared < len(a.live.pieces) && a.live.pieces[a.compared].sequence < sequence; a.compared++ {
		for _, p := range a.live.pieces[a.compared].purses {
			if !a.seen[p.id] { // a wallet may be copied twice
				a.seen[p.id] = true
				a.compare(p.id, p.available, p.held)
			}
		}
	}
}

func (a *shardAudit) compare(id wallet.WalletID, available, held wallet.Amount) {
	var folded bookOf
	if there := a.folded.wallets[id]; there != nil {
		folded = *there
	}
	a.availableBeyond += available - folded.available
	a.heldBeyond += held - folded.held
	name := wallet.WalletAccount(id).String()
	a.differ(name, folded.available, available)
	a.differ(name+" held", folded.held, held)
}

func (a *shardAudit) differ(account string, folded, live wallet.Amount) {
	if folded != live {
		a.differences = append(a.differences, wallet.Difference{Account: account, Journal: folded, Ledger: live})
	}
}

// finish compares what is not in the pieces, and adds the shard to the sum.
func (a *shardAudit) finish(sum *wallet.Audit) {
	for id, there := range a.folded.wallets {
		// One that was made after the copy is in no piece, and one that is gone neither.
		if !a.seen[id] && (len(a.live.pieces) == 0 || there.made <= a.live.pieces[0].sequence) {
			a.seen[id] = true
			a.compare(id, 0, 0)
		}
		sum.Available += there.available
		sum.Held += there.held
	}
	sum.Available += a.availableBeyond
	sum.Held += a.heldBeyond
	sum.Wallets += len(a.folded.wallets)
	sum.Entries += a.folded.records
	names := maps.Clone(a.live.accounts)
	maps.Copy(names, a.folded.accounts)
	for name := range names {
		live := a.live.accounts[name]
		a.differ(name, a.folded.accounts[name], live)
		switch account := (wallet.Account{Name: name}); {
		case account.IsFunding():
			sum.Funding += live
		case account == wallet.Site:
			sum.Site += live
		case name == transit:
			sum.Available += live
		default:
			sum.Sum += live
		}
	}
	sum.Differences = append(sum.Differences, a.differences...)
}
