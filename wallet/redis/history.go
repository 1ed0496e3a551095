package redis

import (
	"cmp"
	"context"
	"errors"
	"iter"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// History implements [history.Source]. It reads the journals of all shards and puts them
// in one order: by time, but nothing before what it rests on. What goes between shards is
// told when it leaves; a wallet that receives then has it sooner than its own journal
// says. Which of two wallets in different shards had the same recovery digest first within
// one millisecond, no journal says: nobody gives one code to two wallets.
func (l *Ledger) History(ctx context.Context, yield func(history.Deed) error) error {
	m := merge{
		ctx: ctx, left: make(map[wallet.OpID]bool), shares: make(map[share]bool), ahead: make(map[wallet.WalletID]wallet.Amount),
	}
	if err := m.readList(l); err != nil {
		return err
	}
	for _, s := range l.shards {
		newest, err := s.newest(ctx)
		if err != nil {
			return err
		}
		next, stop := iter.Pull2(s.records(ctx, newest))
		defer stop()
		m.shards = append(m.shards, &shardTale{next: next})
	}
	return m.tell(yield)
}

var _ history.Source = (*Ledger)(nil)

// records are a shard's, in order, up to an entry of the journal.
func (s *shard) records(ctx context.Context, newest uint64) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		stopped := errors.New("stopped")
		err := s.journal(ctx, 1, newest, func(e entry) error {
			all, err := records(e.sequence, e.text)
			for i := range all {
				if err == nil && !yield(&all[i], nil) {
					return stopped
				}
			}
			return err
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

// merge puts the records of several shards in one order.
type merge struct {
	ctx    context.Context
	shards []*shardTale
	last   int64 // the time of the last deed

	list []wallet.WalletID // in order of creation
	made map[wallet.WalletID]bool

	left   map[wallet.OpID]bool              // transfers that were told and have not arrived
	shares map[share]bool                    // parts of accounts, likewise
	ahead  map[wallet.WalletID]wallet.Amount // what a wallet has been told to have, and has not
}

// shardTale is how far a shard has been told.
type shardTale struct {
	next func() (*record, error, bool)
	head *record // the next one; nil at the end
	op   any     // that the head is of; nil where none is
}

func (t *shardTale) advance() error {
	r, err, more := t.next()
	t.head, t.op = nil, nil
	if err != nil || !more {
		return err
	}
	t.head = r
	if r.kind == kindShare || r.flags&recordExpired != 0 {
		return nil
	}
	t.op, err = r.asked.operation()
	return err
}

// readList reads the order in which wallets were created.
func (m *merge) readList(l *Ledger) error {
	const atOnce = 10_000
	m.made = make(map[wallet.WalletID]bool)
	for {
		ids, err := l.listed(m.ctx, uint64(len(m.list)), atOnce)
		if err != nil {
			return err
		}
		m.list = append(m.list, ids...)
		if len(ids) < atOnce {
			return nil
		}
	}
}

func (m *merge) tell(yield func(history.Deed) error) error {
	for _, t := range m.shards {
		if err := t.advance(); err != nil {
			return err
		}
	}
	for {
		t := m.choose()
		if t == nil {
			return nil
		}
		d, is, err := m.deed(t)
		if err == nil && is {
			err = yield(d)
		}
		if err == nil {
			err = t.advance()
		}
		if err != nil {
			return err
		}
	}
}

// choose returns the shard whose record is told next: the earliest of those that rest on
// nothing that has not been told, and a transfer to another shard when that has come to
// where it arrives. Transfers may cross, so that both cannot be; and a wallet may have
// been listed long before it was made.
func (m *merge) choose() *shardTale {
	var first, ready, met *shardTale
	for _, t := range m.shards {
		if t.head == nil {
			continue
		}
		first = earlier(first, t)
		if m.ready(t) {
			ready = earlier(ready, t)
			if m.meets(t) {
				met = earlier(met, t)
			}
		}
	}
	return cmp.Or(met, ready, first)
}

func earlier(a, b *shardTale) *shardTale {
	if a == nil || b.head.time < a.head.time {
		return b
	}
	return a
}

// meets reports whether a record goes to no other shard, or to one that has come to where
// it arrives.
func (m *merge) meets(t *shardTale) bool {
	op, is := t.op.(wallet.Transfer)
	if !is || t.head.hasOther || t.head.flags&recordArrived != 0 || !op.From.IsWallet() || !op.To.IsWallet() {
		return true
	}
	there := m.shards[shardOf(op.To.Wallet, len(m.shards))].head
	return there == nil || there.flags&recordArrived != 0 && there.kind == wallet.KindTransfer && there.asked.id() == op.ID
}

// ready reports whether all that a record rests on has been told.
func (m *merge) ready(t *shardTale) bool {
	switch r := t.head; {
	case r.kind == kindShare && r.flags&recordArrived != 0:
		s, err := r.share()
		return err != nil || m.shares[s]
	case r.kind == wallet.KindTransfer && r.flags&recordArrived != 0:
		return m.left[r.asked.id()]
	case r.kind == wallet.KindCreate:
		for len(m.list) > 0 && m.made[m.list[0]] {
			m.list = m.list[1:]
		}
		return len(m.list) == 0 || m.list[0] == r.asked.about()
	}
	return true
}

// deed is what the next record of a shard is told as, if it is.
func (m *merge) deed(t *shardTale) (d history.Deed, is bool, err error) {
	r := t.head
	switch arrived := r.flags&recordArrived != 0; {
	case r.kind == kindShare:
		s, err := r.share()
		if m.shares[s] = !arrived; arrived {
			delete(m.shares, s)
		}
		return d, false, err
	case r.flags&recordExpired != 0:
		return d, false, nil
	case arrived && r.kind == wallet.KindTransfer:
		op, _ := t.op.(wallet.Transfer)
		if !m.left[op.ID] {
			return d, false, errors.New("a transfer between shards was under way when the history was asked for; ask again, or stop what charges first")
		}
		delete(m.left, op.ID)
		m.ahead[op.To.Wallet] -= op.Amount
		return d, false, nil
	}
	receipt, err := r.receipt(wallet.Applied)
	if err != nil {
		return d, false, err
	}
	about := r.asked.about()
	if op, is := t.op.(wallet.Transfer); is && op.From.IsWallet() && op.To.IsWallet() && !r.hasOther {
		m.left[op.ID] = true
		m.ahead[op.To.Wallet] += op.Amount
	}
	if r.kind == wallet.KindCreate {
		m.made[about] = true
	}
	m.last = max(m.last, r.time)
	d = history.Deed{Time: timeOf(m.last), Op: t.op, Amount: receipt.Amount, Balance: receipt.Balance}
	if about != (wallet.WalletID{}) {
		d.Balance += m.ahead[about]
	}
	return d, true, nil
}
