package ledgertest

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// together sends n operations at once and returns how often each outcome came,
// with the receipts in the order of the operations.
func together[Op any](b *trial, m method[Op], n int, op func(i int) Op) (map[wallet.Outcome]int, []wallet.Receipt) {
	b.Helper()
	ops := make([]Op, n)
	for i := range n {
		if ops[i] = op(i); idOf(ops[i]) == (wallet.OpID{}) {
			ops[i] = withID(ops[i], b.id())
		}
	}
	return b.atOnce(n, func(i int) (wallet.Receipt, error) { return m(b.l, b.Context(), ops[i]) })
}

// atOnce starts n calls at once.
func (b *trial) atOnce(n int, call func(i int) (wallet.Receipt, error)) (map[wallet.Outcome]int, []wallet.Receipt) {
	b.Helper()
	receipts, errs := make([]wallet.Receipt, n), make([]error, n)
	begin := make(chan struct{})
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			<-begin
			receipts[i], errs[i] = call(i)
		})
	}
	close(begin)
	running.Wait()
	count := make(map[wallet.Outcome]int)
	for i, r := range receipts {
		if errs[i] != nil {
			b.Fatalf("call %d of %d at once: %v", i, n, errs[i])
		}
		count[r.Outcome]++
	}
	return count, receipts
}

// counted checks how often each outcome came.
func (b *trial) counted(got map[wallet.Outcome]int, invariant string, want map[wallet.Outcome]int) {
	b.Helper()
	if !maps.Equal(got, want) {
		b.Fatalf("%s: outcomes %v, want %v", invariant, got, want)
	}
}

// replayed checks that every receipt is the one of the call that took effect.
func (b *trial) replayed(receipts []wallet.Receipt) {
	b.Helper()
	for _, r := range receipts {
		first := receipts[0]
		first.Outcome = r.Outcome
		if !same(r, first) {
			b.Fatalf("invariant 3: one id has the receipts %+v and %+v", r, first)
		}
	}
}

var races = []scenario{
	{"a hundred charges at once with money for three pay for three (invariant 2)", func(b *trial) {
		w := b.wallet(3*price + price/2)
		got, _ := together(b, wallet.Ledger.Charge, 100, func(i int) wallet.Charge {
			return view(w, fmt.Sprintf("news:/%d", i))
		})
		b.counted(got, "invariant 2", map[wallet.Outcome]int{wallet.Applied: 3, wallet.Insufficient: 97})
		b.has(w, price/2, 0)
	}},
	{"a hundred charges at once for one resource pay once (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		got, receipts := together(b, wallet.Ledger.Charge, 100, func(int) wallet.Charge { return view(w, article) })
		b.counted(got, "invariant 4", map[wallet.Outcome]int{wallet.Applied: 1, wallet.Granted: 99})
		for _, r := range receipts {
			if r.Balance != hundred-price || !r.Until.Equal(b.now().Add(window)) {
				b.Fatalf("invariant 4: a receipt says %+v", r)
			}
		}
		b.has(w, hundred-price, 0)
	}},
	{"one id sent fifty times at once takes effect once and every receipt is the same (invariant 3)", func(b *trial) {
		w := b.wallet(hundred)
		once := map[wallet.Outcome]int{wallet.Applied: 1, wallet.Replayed: 49}
		c := withID(view(w, article), b.id())
		got, receipts := together(b, wallet.Ledger.Charge, 50, func(int) wallet.Charge { return c })
		b.counted(got, "invariant 3", once)
		b.replayed(receipts)
		t := withID(pay(wallet.WalletAccount(w), wallet.WalletAccount(b.wallet(0)), wallet.Unit), b.id())
		got, receipts = together(b, wallet.Ledger.Transfer, 50, func(int) wallet.Transfer { return t })
		b.counted(got, "invariant 3", once)
		b.replayed(receipts)
		b.has(w, hundred-price-wallet.Unit, 0)
	}},
	{"one id with fifty contents at once takes effect once and conflicts else (invariant 3)", func(b *trial) {
		w, id := b.wallet(hundred), b.id()
		got, _ := together(b, wallet.Ledger.Charge, 50, func(i int) wallet.Charge {
			return withID(view(w, fmt.Sprintf("news:/%d", i)), id)
		})
		b.counted(got, "invariant 3", map[wallet.Outcome]int{wallet.Applied: 1, wallet.Conflict: 49})
		b.has(w, hundred-price, 0)
	}},
	{"a voucher redeemed by fifty wallets at once fills one (invariant 3)", func(b *trial) {
		code := NewVoucher(b, b.l, b.clock.Now, wallet.Unit)
		got, _ := together(b, wallet.Ledger.Redeem, 50, func(int) wallet.Redeem {
			return wallet.Redeem{Wallet: b.wallet(0), Code: code}
		})
		b.counted(got, "invariant 3", map[wallet.Outcome]int{wallet.Applied: 1, wallet.Spent: 49})
		b.audited(wallet.Audit{Wallets: 50, Available: wallet.Unit, Funding: -wallet.Unit})
	}},
	{"a hold captured and released fifty times at once resolves once (invariant 3)", func(b *trial) {
		w := b.wallet(hundred)
		hold := b.held(w, wallet.Unit)
		got, receipts := b.atOnce(50, func(i int) (wallet.Receipt, error) {
			if i%2 == 0 {
				return b.l.Release(b.Context(), wallet.Release{ID: b.id(), Wallet: w, Hold: hold})
			}
			return b.l.Capture(b.Context(), withID(capture(w, hold, price), b.id()))
		})
		b.counted(got, "invariant 3", map[wallet.Outcome]int{wallet.Applied: 1, wallet.Spent: 49})
		left := hundred
		if winner := slices.IndexFunc(receipts, func(r wallet.Receipt) bool { return r.Outcome.Done() }); winner%2 == 1 {
			left -= price
		}
		b.has(w, left, 0)
	}},
	{"a charge settled fifty times at once is settled once, with one result (invariant 3)", func(b *trial) {
		w := b.wallet(hundred)
		b.ahead(w)
		got, receipts := together(b, wallet.Ledger.Settle, 50, func(i int) wallet.Settlement { return settle(w, i%2 == 0) })
		b.counted(got, "invariant 3", map[wallet.Outcome]int{wallet.Applied: 1, wallet.Spent: 49})
		winner := slices.IndexFunc(receipts, func(r wallet.Receipt) bool { return r.Outcome.Done() })
		b.has(w, hundred-price+receipts[winner].Amount, 0)
	}},
	{"one recovery digest for fifty new wallets at once opens one of them", func(b *trial) {
		recovery := NewDigest(b)
		got, _ := together(b, wallet.Ledger.CreateWallet, 50, func(i int) wallet.CreateWallet {
			return create(recovery, byte(i))
		})
		b.counted(got, "invariant 3", map[wallet.Outcome]int{wallet.Applied: 1, wallet.Conflict: 49})
	}},
	{"batches of vouchers issued at once share no number and no digest", func(b *trial) {
		shared := NewDigest(b)
		got, receipts := together(b, wallet.Ledger.IssueVouchers, 50, func(i int) wallet.IssueVouchers {
			issue := wallet.IssueVouchers{Value: wallet.Unit, Digests: []wallet.Digest{NewDigest(b), NewDigest(b)}}
			if i%2 == 0 {
				issue.Digests[1] = shared
			}
			return issue
		})
		b.counted(got, "invariant 3", map[wallet.Outcome]int{wallet.Applied: 26, wallet.Conflict: 24})
		var serials []uint64
		for _, r := range receipts {
			if r.Outcome == wallet.Applied {
				serials = append(serials, r.Serial)
			}
		}
		slices.Sort(serials)
		for i, serial := range serials {
			if serial != uint64(2*i)+1 {
				b.Fatalf("26 batches of two are numbered from %v", serials)
			}
		}
	}},
	{"a pass of three visits opens three of fifty pages at once (invariant 2)", func(b *trial) {
		w := b.wallet(wallet.Unit)
		do(b, wallet.Ledger.Buy, bundle(w, 3))
		got, _ := together(b, wallet.Ledger.Charge, 50, func(i int) wallet.Charge {
			return view(w, fmt.Sprintf("news:/%d", i))
		})
		b.counted(got, "invariant 2", map[wallet.Outcome]int{wallet.Applied: 3, wallet.Insufficient: 47})
	}},
	{"wallets that pay each other at once lose and make no money (invariant 1)", func(b *trial) {
		circle := []wallet.WalletID{b.wallet(hundred), b.wallet(hundred), b.wallet(hundred)}
		got, _ := together(b, wallet.Ledger.Transfer, 99, func(i int) wallet.Transfer {
			return pay(wallet.WalletAccount(circle[i%3]), wallet.WalletAccount(circle[(i+1)%3]), price)
		})
		b.counted(got, "invariant 1", map[wallet.Outcome]int{wallet.Applied: 99})
		for _, w := range circle {
			b.has(w, hundred, 0)
		}
	}},
	{"nothing is spent after a revocation or a freeze is acknowledged (invariant 8)", func(b *trial) {
		b.stopped(func(w wallet.WalletID) error {
			r, err := b.l.Rekey(b.Context(), wallet.Rekey{ID: b.id(), Wallet: w, Revoke: true})
			return applied(r, err)
		}, wallet.Revoked)
		b.stopped(func(w wallet.WalletID) error {
			r, err := b.l.Freeze(b.Context(), wallet.Freeze{ID: b.id(), Wallet: w, Frozen: true})
			return applied(r, err)
		}, wallet.Frozen)
	}},
	{"the books add up at every instant while money moves (invariants 1, 7)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		var done atomic.Bool
		var auditor sync.WaitGroup
		auditor.Go(func() {
			for first := true; first || !done.Load(); first = false {
				a, err := b.l.Verify(b.Context())
				if err != nil || !a.OK() || a.Available+a.Held+a.Site+a.Funding != 0 || a.Funding != -2*hundred {
					b.Errorf("invariant 1: beside running operations Verify answers %+v, %v", a, err)
					return
				}
			}
		})
		defer auditor.Wait()
		defer done.Store(true)
		for round := range 10 {
			together(b, wallet.Ledger.Charge, 10, func(i int) wallet.Charge {
				return view(w, fmt.Sprintf("news:/%d/%d", round, i))
			})
			together(b, wallet.Ledger.Hold, 5, func(int) wallet.Hold { return set(w, price) })
			together(b, wallet.Ledger.Transfer, 10, func(int) wallet.Transfer {
				return pay(wallet.WalletAccount(other), wallet.WalletAccount(w), price)
			})
		}
	}},
}

func applied(r wallet.Receipt, err error) error {
	if err == nil && r.Outcome != wallet.Applied {
		err = fmt.Errorf("answered %v", r.Outcome)
	}
	return err
}

// stopped charges a wallet from several sides while stop is acknowledged, and
// checks that no charge which began after that spent anything.
func (b *trial) stopped(stop func(wallet.WalletID) error, want wallet.Outcome) {
	b.Helper()
	const payers, after = 8, 5
	w := b.wallet(hundred)
	var acknowledged atomic.Bool
	var running sync.WaitGroup
	halfway := make(chan struct{}, payers)
	for payer := range payers {
		running.Go(func() {
			reached := sync.OnceFunc(func() { halfway <- struct{}{} })
			defer reached()
			for n, late := 0, 0; late < after; n++ {
				isLate := acknowledged.Load()
				c := withID(view(w, fmt.Sprintf("news:/%d/%d", payer, n)), b.id())
				r, err := b.l.Charge(b.Context(), c)
				if err != nil || isLate && r.Outcome != want {
					b.Errorf("invariant 8: a charge answered %v, %v after the acknowledgement", r.Outcome, err)
					return
				}
				if n == 2 {
					reached()
				}
				if isLate {
					late++
				}
			}
		})
	}
	for range payers {
		<-halfway
	}
	if err := stop(w); err != nil {
		b.Errorf("stopping the wallet: %v", err)
	}
	spent := b.look(w).Available
	acknowledged.Store(true)
	running.Wait()
	b.has(w, spent, 0)
}
