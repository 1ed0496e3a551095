package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// A start reads the journal, cuts off what a crash has torn and makes itself
// ready to write. Whatever fails on the way, it is an error of Open, and the next
// Open finds everything that was acknowledged (invariant 5): a read that fails
// must not be taken for the journal's end, and cut it off.
func TestAStartThatFailsLosesNothingAcknowledged(t *testing.T) {
	for name, fault := range map[string]struct {
		at   func(calls int) faults
		says error
	}{
		"the power": {func(calls int) faults { return faults{cutIn: calls} }, errPower},
		"a sync":    {func(calls int) faults { return faults{failIn: calls} }, errSync},
		"a write":   {func(calls int) faults { return faults{fullIn: calls} }, errFull},
		"a read":    {func(calls int) faults { return faults{readIn: calls} }, errSync},
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %#x", seed)
			s := newSailor(t, seed)
			s.voyage(func(d *disk) { d.cutIn = 300 + d.random.IntN(300) })
			s.l = nil
			failed := 0
			for calls := 1; s.l == nil; calls++ {
				s.disk.fail(fault.at(calls))
				l, err := s.openOn(withoutSnapshots{s.disk})
				s.disk.fail(faults{})
				if err == nil {
					s.l = l
					break
				}
				failed++
				if s.disk.opened != 0 {
					t.Fatalf("call %d: Open leaves %d files open", calls, s.disk.opened)
				}
				if !errors.Is(err, fault.says) || errors.Is(err, wallet.ErrCorrupt) {
					t.Fatalf("call %d: Open answers %v, want %v", calls, err, fault.says)
				}
				if s.disk.off || s.draw(2) == 0 {
					s.disk = s.disk.restart()
				}
			}
			if failed == 0 {
				t.Fatal("no fault has struck")
			}
			s.check()
			if err := s.l.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Whoever waits for a full disk opens the ledger again and again.
func TestAStartOnAFullDiskDoesNotReadTheJournal(t *testing.T) {
	s := newSailor(t, rand.Uint64())
	s.voyage(func(*disk) {})
	for _, full := range []faults{{fullIn: 1, readIn: 1}, {failIn: 1, readIn: 1}} {
		s.disk.fail(full)
		if _, err := s.openOn(s.disk); !errors.Is(err, errFull) && !errors.Is(err, errSync) || s.disk.readIn != 1 {
			t.Fatalf("Open answers %v and has read", err)
		}
		if names, err := s.disk.Names(); err != nil || slices.Contains(names, newProbe) {
			t.Errorf("it leaves %v, %v", names, err)
		}
	}
	s.disk.fail(faults{})
	s.open()
	s.check()
	if err := s.l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A long journal is read in many pieces, and frames lie across them.
func TestAStartThatCannotReadAPieceOfTheJournalCutsNothingOff(t *testing.T) {
	s := newSailor(t, rand.Uint64())
	options := Options{Clock: s.clock.Now, Random: zeroReader{s}}
	l, err := openOn(s.disk, options)
	if err != nil {
		t.Fatal(err)
	}
	w := ledgertest.NewWallet(t, l, s.clock.Now, wallet.Unit)
	for l.journal.wrote < 3*readAhead {
		done(t)(l.Transfer(t.Context(), wallet.Transfer{
			ID: s.id(), From: wallet.FundingOperator, To: wallet.WalletAccount(w), Amount: 1, Note: strings.Repeat("n", wallet.MaxNote),
		}))
	}
	want, err := l.Wallet(t.Context(), w)
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for {
		s.disk.fail(faults{readIn: failed + 1})
		if l, err = openOn(s.disk, options); err == nil {
			break
		}
		if failed++; !errors.Is(err, errSync) {
			t.Fatalf("invariant 5: start %d answers %v, want that it cannot read", failed, err)
		}
	}
	s.disk.fail(faults{})
	got, err := l.Wallet(t.Context(), w)
	if err := errors.Join(err, l.Close()); err != nil || got.Available != want.Available || failed < 6 {
		t.Fatalf("invariant 5: after %d failed starts the wallet has %s, %v; had %s", failed, got.Available, err, want.Available)
	}
}

// A segment whose name is not durable when the ledger stops is there when it is
// opened again, since the system still shows it, and would be gone after a power
// cut with everything that was acknowledged since (invariant 5).
func TestAStartMakesTheNamesDurableThatItSees(t *testing.T) {
	s := newSailor(t, rand.Uint64())
	open := func() {
		t.Helper()
		l, err := s.openOn(withoutSnapshots{s.disk})
		if err != nil {
			t.Fatal(err)
		}
		s.l = l
	}
	open()
	w := ledgertest.NewWallet(t, s.l, s.clock.Now, wallet.Unit)
	s.disk.fail(faults{nameIn: 1})
	fund := func(amount wallet.Amount) bool {
		return try(s, (*Ledger).Transfer, wallet.Transfer{
			ID: s.id(), From: wallet.FundingOperator, To: wallet.WalletAccount(w), Amount: amount, Note: strings.Repeat("note ", 40),
		})
	}
	for n := 1; fund(wallet.Amount(n)); n++ {
		if n > 1000 {
			t.Fatal("no new segment was begun")
		}
	}
	s.l.Close()
	open()
	s.check()
	if !fund(1) {
		t.Fatal("the ledger that was opened again does not serve")
	}
	if err := s.l.Close(); err != nil {
		t.Fatal(err)
	}
	before := s.disk
	for range 10 {
		s.disk = before.restart()
		s.open()
		s.check()
		if err := s.l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// withoutSnapshots is a disk that takes none: making one, beside everything else,
// makes all names durable, and would take the fault that is meant for another.
type withoutSnapshots struct{ *disk }

func (d withoutSnapshots) Create(name string) (file, error) {
	if name == newSnapshot {
		return nil, errFull
	}
	return d.disk.Create(name)
}

// A disk that is full tells a start, because the file must reach ahead again,
// whatever stood there.
func TestAStartReachesAhead(t *testing.T) {
	s := newSailor(t, rand.Uint64())
	for range 5 {
		s.open()
		size := int64(len(s.disk.shown[segmentName(s.l.journal.head.base)].durable))
		if size-s.l.journal.wrote < ahead {
			t.Fatalf("the segment reaches %d bytes ahead, want %d", size-s.l.journal.wrote, ahead)
		}
		ledgertest.NewWallet(t, s.l, s.clock.Now, wallet.Unit)
		if err := s.l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFlippedBitIsNeverTakenForTheTruth flips bits anywhere on the disk of a
// ledger that was closed. Either the ledger refuses to open, in words, or what it
// answers is what it has answered before, or that it is corrupt: never anything
// else. Only the last frame may be missing, as if torn (see doc.go, Limits).
func TestAFlippedBitIsNeverTakenForTheTruth(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %#x", seed)
	s := newSailor(t, seed)
	var names []string
	for n := 0; !slices.Contains(names, snapshotName) || len(segmentBases(names)) < 4; n++ {
		if n > 50 {
			t.Fatalf("only %v: too little to flip bits in", names)
		}
		s.voyage(func(*disk) {})
		names = slices.Sorted(maps.Keys(s.disk.shown))
	}
	bases := segmentBases(names)
	noticed, answered := 0, 0
	for range 10 * *crashSeeds {
		d := s.disk.restart()
		name := names[s.draw(len(names))]
		bit := s.draw(8 * len(d.shown[name].shown))
		last := name == segmentName(bases[len(bases)-1]) && inLastFrame(d.shown[name].shown, bit/8)
		d.shown[name].shown[bit/8] ^= 1 << (bit % 8)
		where := fmt.Sprintf("%s, bit %d of byte %d", name, bit%8, bit/8)
		l, err := s.openOn(d)
		if err != nil {
			noticed++
			if !errors.Is(err, wallet.ErrCorrupt) {
				t.Fatalf("%s: Open answers %v", where, err)
			}
			continue
		}
		answered++
		if !last {
			s.mustKnowOrRefuse(l, where)
		}
		audit, err := l.Verify(context.Background())
		if err == nil && !audit.OK() || err != nil && !errors.Is(err, wallet.ErrCorrupt) {
			t.Errorf("%s: Verify answers %+v, %v", where, audit, err)
		}
		if err != nil {
			noticed++ // a start does not read what is behind its snapshot
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if noticed == 0 || answered == 0 {
		t.Fatalf("%d noticed, %d answered: the flips were too much alike", noticed, answered)
	}
}

// inLastFrame reports whether a byte of a segment is in its last frame.
func inLastFrame(b []byte, at int) bool {
	s, _, err := decodeSegment(b)
	if err != nil {
		return false
	}
	begin := segmentHeader
	for offset, sequence := segmentHeader, s.sequence; ; sequence++ {
		records, whole := openFrame(b[offset:], sequence, s.epoch)
		if !whole {
			return at >= begin && at < offset
		}
		begin = offset
		offset += int(frameSize(len(records)))
	}
}

// mustKnowOrRefuse repeats everything that was acknowledged.
func (s *sailor) mustKnowOrRefuse(l *Ledger, where string) {
	s.Helper()
	for i, was := range s.told {
		want := was.want
		want.Outcome = wallet.Replayed
		if got, err := was.again(l); !errors.Is(err, wallet.ErrCorrupt) && (err != nil || got != want) {
			s.Fatalf("%s: acknowledged operation %d is now\n%+v, %v; was\n%+v", where, i, got, err, want)
		}
	}
}
