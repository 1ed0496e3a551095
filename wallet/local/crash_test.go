package local

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

var crashSeeds = flag.Int("local.crashes", 20, "how many seeds the crash tests try")

// TestPowerCutsLoseNothingAcknowledged cuts the power at random writes, syncs,
// renames and truncations, several times in a row on the same disk. What was
// acknowledged is there afterwards with its exact receipt (invariants 3, 5), the
// books add up (invariant 1) and are the fold of the whole journal (invariant 7).
func TestPowerCutsLoseNothingAcknowledged(t *testing.T) {
	crashes(t, func(d *disk) { d.cutIn = 1 + d.random.IntN(400) })
}

// A failed sync ends the ledger's service. What the system then shows from its
// memory may not be on the disk, and must not be lost by the power cut after the
// next Open has answered for it.
func TestAFailedSyncLosesNothingAcknowledged(t *testing.T) {
	crashes(t, func(d *disk) {
		d.failIn = 1 + d.random.IntN(100)
		d.cutIn = d.random.IntN(2) * 500
	})
}

func TestAFullDiskLosesNothingAcknowledged(t *testing.T) {
	crashes(t, func(d *disk) { d.fullIn = 1 + d.random.IntN(200) })
}

// crashes runs load on a disk with faults, again and again.
func crashes(t *testing.T, fault func(d *disk)) {
	for range *crashSeeds {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %#x", seed), func(t *testing.T) {
			s := newSailor(t, seed)
			for range 4 {
				s.voyage(fault)
			}
			s.open()
			s.check()
			if err := s.l.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// sailor works on a ledger whose disk fails, and remembers what it was told.
type sailor struct {
	testing.TB
	random *rand.Rand
	clock  *ledgertest.Clock
	disk   *disk
	l      *Ledger

	mu      sync.Mutex
	wallets []wallet.WalletID
	told    []told // operations that were acknowledged
	untold  []told // operations whose outcome is unknown
}

// told is an operation and what was answered.
type told struct {
	again func(l *Ledger) (wallet.Receipt, error)
	want  wallet.Receipt
}

func newSailor(t testing.TB, seed uint64) *sailor {
	random := rand.New(rand.NewPCG(seed, 1))
	return &sailor{
		TB: t, random: random, clock: ledgertest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		disk: newDisk(random),
	}
}

func (s *sailor) open() {
	s.Helper()
	l, err := s.openOn(s.disk)
	if err != nil {
		s.Fatalf("opening after a crash: %v", err)
	}
	s.l = l
}

func (s *sailor) openOn(d fileSystem) (*Ledger, error) {
	return openOn(d, Options{Dir: "at sea", Clock: s.clock.Now, Random: zeroReader{s}, SegmentSize: 8 << 10})
}

// voyage opens the ledger, checks it and works until the fault strikes. Then the
// disk loses power, or the process alone is started again.
func (s *sailor) voyage(fault func(d *disk)) {
	s.Helper()
	s.open()
	s.check()
	s.mu.Lock()
	s.disk.mu.Lock()
	fault(s.disk)
	s.disk.mu.Unlock()
	s.mu.Unlock()
	var crew sync.WaitGroup
	for hand := range 1 + s.draw(6) {
		crew.Go(func() {
			for range 60 {
				if !s.work(hand) {
					return
				}
			}
		})
	}
	crew.Wait()
	s.l.Close() // the fault may have struck or not; what counts is what the disk has
	if s.disk.off || s.draw(2) == 0 {
		s.disk = s.disk.restart()
	}
	s.disk.faults = faults{}
}

// draw is random.IntN, for all hands.
func (s *sailor) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk.mu.Lock() // the disk draws from the same source
	defer s.disk.mu.Unlock()
	return s.random.IntN(n)
}

// check asks for what it was not told (invariant 6) and repeats everything that
// was acknowledged.
func (s *sailor) check() {
	s.Helper()
	for _, op := range s.untold {
		got, err := op.again(s.l)
		if err != nil {
			s.Fatal(err)
		}
		if got.Outcome.Done() {
			s.told = append(s.told, told{again: op.again, want: got})
		}
	}
	s.untold = nil
	for i, was := range s.told {
		want := was.want
		want.Outcome = wallet.Replayed
		if got, err := was.again(s.l); err != nil || got != want {
			s.Fatalf("invariant 5: acknowledged operation %d is now\n%+v, %v; was\n%+v", i, got, err, want)
		}
	}
	ledgertest.AssertConserved(s, s.l)
	sameBooks(s, s.l)
	if names, _ := s.disk.Names(); slices.Contains(names, brokenSnapshot) {
		s.Error("a snapshot got its name before it was durable")
	}
}

// work does one random operation, and reports whether the ledger still serves.
func (s *sailor) work(hand int) bool {
	id := s.id()
	w := s.wallet()
	switch s.draw(10) {
	case 0:
		op := wallet.CreateWallet{ID: id, Wallet: wallet.WalletID(s.id()), Recovery: wallet.Digest{0: 1, 1: byte(s.draw(256)), 2: byte(s.draw(256))}}
		if !try(s, (*Ledger).CreateWallet, op) {
			return false
		}
		s.mu.Lock()
		s.wallets = append(s.wallets, op.Wallet)
		s.mu.Unlock()
		return true
	case 1:
		return try(s, (*Ledger).Transfer, wallet.Transfer{
			ID: id, From: wallet.FundingOperator, To: wallet.WalletAccount(w), Amount: wallet.Unit,
		})
	case 2:
		return try(s, (*Ledger).Transfer, wallet.Transfer{
			ID: id, From: wallet.WalletAccount(w), To: wallet.WalletAccount(s.wallet()), Generation: 1, Amount: wallet.Unit / 10, Note: "thanks",
		})
	case 3:
		return try(s, (*Ledger).Buy, wallet.Purchase{
			ID: id, Wallet: w, Generation: 1, Rule: "news", Price: wallet.Unit / 5, Visits: 3, Validity: time.Hour,
		})
	case 4:
		hold := wallet.Hold{ID: id, Wallet: w, Generation: 1, Amount: wallet.Unit / 10, TTL: time.Duration(1+s.draw(30)) * time.Second}
		return try(s, (*Ledger).Hold, hold) && (s.draw(2) == 0 || try(s, (*Ledger).Capture, wallet.Capture{
			ID: s.id(), Wallet: w, Hold: id, Amount: 5, Rule: "post", Resource: "post:/form", Window: time.Minute,
		}))
	case 5:
		var code wallet.Digest
		code[0] = 2
		copy(code[1:], id[:])
		return try(s, (*Ledger).IssueVouchers, wallet.IssueVouchers{ID: id, Value: wallet.Unit, Digests: []wallet.Digest{code}}) &&
			try(s, (*Ledger).Redeem, wallet.Redeem{ID: s.id(), Wallet: w, Code: code})
	case 6:
		s.clock.Advance(time.Duration(s.draw(3)) * time.Second)
		return try(s, (*Ledger).Freeze, wallet.Freeze{ID: id, Wallet: w, Frozen: s.draw(4) == 0})
	}
	charge := wallet.Charge{
		ID: id, Wallet: w, Generation: 1, Rule: "news", Resource: fmt.Sprintf("news:/%d/%d", hand, s.draw(50)),
		Price: wallet.Unit / 100, Window: time.Duration(1+s.draw(100)) * time.Second, Ahead: s.draw(2) == 0,
	}
	settlement := wallet.Settlement{ID: s.id(), Wallet: w, Resource: charge.Resource, Delivered: s.draw(2) == 0}
	if !charge.Ahead {
		settlement.Charge = id
	}
	return try(s, (*Ledger).Charge, charge) && (s.draw(3) == 0 || try(s, (*Ledger).Settle, settlement))
}

// try does an operation, remembers what it was told, and reports whether the
// ledger still serves.
func try[Op any](s *sailor, do func(*Ledger, context.Context, Op) (wallet.Receipt, error), op Op) bool {
	again := func(l *Ledger) (wallet.Receipt, error) { return do(l, context.Background(), op) }
	got, err := again(s.l)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, wallet.ErrUnavailable):
		s.untold = append(s.untold, told{again: again})
		return false
	case errors.Is(err, wallet.ErrInvalid): // such as a transfer from a wallet to itself
	case err != nil:
		s.Errorf("%T: %v", op, err)
	case got.Outcome == wallet.Applied:
		s.told = append(s.told, told{again: again, want: got})
	}
	return true
}

// wallet is one that exists, or the zero id.
func (s *sailor) wallet() wallet.WalletID {
	i := s.draw(8)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < len(s.wallets) {
		return s.wallets[i]
	}
	return wallet.WalletID{}
}

// id is a new id of the clock's time.
func (s *sailor) id() wallet.OpID {
	id, err := wallet.NewOpID(s.clock.Now(), zeroReader{s})
	if err != nil {
		s.Fatal(err)
	}
	return id
}

// zeroReader gives bytes from the sailor's random source.
type zeroReader struct{ s *sailor }

func (r zeroReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.s.draw(256))
	}
	return len(b), nil
}
