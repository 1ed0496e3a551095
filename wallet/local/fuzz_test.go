package local

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// sampleRecords are one record of each shape.
func sampleRecords() []record {
	return []record{
		{kind: wallet.KindCreate, id: wallet.OpID{1}, time: 1, wallet: wallet.WalletID{1}, generation: 1, recovery: wallet.Digest{1}},
		{
			kind: wallet.KindCharge, flags: flagAhead, id: wallet.OpID{2}, time: 1772366400000, content: 7,
			wallet: wallet.WalletID{1}, prev: 64, amount: 100_000, balance: wallet.MaxAmount, until: 1772366400001,
			rule: "news", resource: "news:/a",
		},
		{
			kind: wallet.KindVisit, id: wallet.OpID{2, 1}, time: 1772366400000, walletAt: 3, ruleAt: 2, ruleKnown: true,
			resource: "news:/b", visits: 2, until: 1772366400000,
		},
		{
			kind: wallet.KindTransfer, flags: flagBetween, id: wallet.OpID{3}, time: 2, wallet: wallet.WalletID{1}, prev: 1 << 40,
			amount: 1, note: "thanks", other: wallet.WalletID{2}, otherPrev: 3, otherBalance: 4,
		},
		{kind: wallet.KindCapture, id: wallet.OpID{4}, time: 3, wallet: wallet.WalletID{1}, held: 5, amount: 4, ends: wallet.OpID{9}},
		{kind: wallet.KindIssue, id: wallet.OpID{5}, time: 4, amount: 1, serial: 1, digests: []wallet.Digest{{1}, {2}}},
		{kind: wallet.KindBuy, id: wallet.OpID{6}, time: -5, wallet: wallet.WalletID{1}, visits: 3, bought: 2, rule: "news"},
	}
}

// FuzzRecord reads records from arbitrary bytes. One that reads must come out
// the same when it is written again, and apply must take or refuse it.
func FuzzRecord(f *testing.F) {
	for _, r := range sampleRecords() {
		f.Add(r.append(nil)[recordSize:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, again record
		if first.decode(b) != nil {
			return
		}
		wrote := first.append(nil)
		if err := again.decode(wrote[recordSize:]); err != nil {
			t.Fatalf("%+v does not read back: %v", first, err)
		}
		if !bytes.Equal(again.append(nil), wrote) {
			t.Fatalf("%+v reads back as %+v", first, again)
		}
		first.receipt(wallet.Applied)
		first.entry(wallet.WalletID{})
		s := newState()
		s.purses.add(purse{id: wallet.WalletID{1}, available: 10, generation: 1})
		if s.resolve(&first) == nil {
			s.apply(&first, segmentHeader)
		}
	})
}

// FuzzSegment opens a ledger whose last segment has a whole frame of arbitrary
// records, and arbitrary bytes behind it. It must open without what is not
// whole, or say that it is corrupt, and what it opens it must open again.
func FuzzSegment(f *testing.F) {
	s := segment{sequence: 1, epoch: 42}
	samples := sampleRecords()
	create := samples[0].append(nil)
	whole := sealFrame(samples[1].append(make([]byte, frameHeader)), 2, s.epoch)
	f.Add([]byte{}, []byte{})
	f.Add(create, []byte{})
	f.Add(create, whole)
	f.Add(create, append(make([]byte, 64), whole...))
	f.Add(create, []byte{0xff, 0xff, 0xff, 0x00})
	f.Add(samples[1].append(create), whole[:len(whole)-9])
	f.Fuzz(func(t *testing.T, records, tail []byte) {
		d := newDisk(rand.New(rand.NewPCG(1, 1)))
		content := s.encode(ledgerID{1})
		if len(records) > 0 {
			content = append(content, sealFrame(append(make([]byte, frameHeader), records...), 1, s.epoch)...)
		}
		d.shown[segmentName(0)] = &node{shown: append(content, tail...)}
		for range 2 {
			l, err := openOn(d, Options{Clock: func() time.Time { return time.UnixMilli(5) }})
			if errors.Is(err, wallet.ErrCorrupt) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			sameBooks(t, l)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzSnapshot reads snapshots from arbitrary bytes behind a right checksum.
func FuzzSnapshot(f *testing.F) {
	id := ledgerID{1}
	d := newDisk(rand.New(rand.NewPCG(1, 1)))
	for _, s := range []*state{newState(), fullState(f)} {
		if _, err := (&snapshot{state: s, position: 64, sequence: 1}).store(d, id); err != nil {
			f.Fatal(err)
		}
		whole := d.shown[snapshotName].shown
		f.Add(whole[:len(whole)-4])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDisk(rand.New(rand.NewPCG(1, 1)))
		w, _ := d.Create(snapshotName)
		e := newEncoder(&appender{w, 0})
		e.bytes(b)
		if err := e.close(); err != nil {
			t.Fatal(err)
		}
		first, err := decodeSnapshot(d.shown[snapshotName].shown, id, nil)
		if err != nil {
			return
		}
		if _, err := first.store(d, id); err != nil {
			t.Fatal(err)
		}
		if _, err := decodeSnapshot(d.shown[snapshotName].shown, id, nil); err != nil {
			t.Fatalf("a snapshot that reads does not read again: %v", err)
		}
	})
}

// appender writes to a file from its beginning.
type appender struct {
	f  file
	at int64
}

func (a *appender) Write(b []byte) (int, error) {
	n, err := a.f.WriteAt(b, a.at)
	a.at += int64(n)
	return n, err
}

// fullState is a state with something in each of its parts.
func fullState(t testing.TB) *state {
	t.Helper()
	s := newState()
	w, o := wallet.WalletID{1}, wallet.WalletID{2}
	last := map[wallet.WalletID]uint64{}
	available := map[wallet.WalletID]wallet.Amount{}
	at := uint64(segmentHeader)
	apply := func(r record) {
		t.Helper()
		at++
		r.id, r.time, r.prev = wallet.OpID{15: byte(at)}, 1000, last[r.wallet]
		available[r.wallet] += r.change()
		if r.has(flagBetween) {
			available[r.other] += r.amount
			r.otherPrev, r.otherBalance = last[r.other], available[r.other]
			last[r.other] = at
		}
		r.balance = available[r.wallet]
		if r.wallet == o && r.kind != wallet.KindCreate {
			r.walletAt = 1
		}
		if err := s.fold(&r, at); err != nil {
			t.Fatal(err)
		}
		if r.hasWallet() {
			last[r.wallet] = at
		}
	}
	apply(record{kind: wallet.KindCreate, wallet: w, generation: 1, recovery: wallet.Digest{1}})
	apply(record{kind: wallet.KindCreate, wallet: o, generation: 1})
	apply(record{kind: wallet.KindTransfer, flags: flagIncoming, wallet: w, amount: 1000, account: "funding:operator"})
	apply(record{kind: wallet.KindTransfer, flags: flagBetween, wallet: w, other: o, amount: 100})
	apply(record{kind: wallet.KindCharge, flags: flagAhead, wallet: w, amount: 10, rule: "news", resource: "news:/a", until: 5000})
	apply(record{kind: wallet.KindBuy, wallet: o, amount: 10, rule: "post", visits: 3, bought: 3})
	apply(record{kind: wallet.KindVisit, wallet: o, rule: "post", resource: "post:/a", visits: 2, until: 6000})
	visit := wallet.OpID{15: byte(at)}
	apply(record{kind: wallet.KindHold, wallet: w, amount: 5, until: 7000})
	apply(record{kind: wallet.KindIssue, amount: 20, serial: 1, digests: []wallet.Digest{{7}, {8}}, note: "fair"})
	apply(record{kind: wallet.KindRedeem, wallet: o, amount: 20, serial: 1})
	apply(record{kind: wallet.KindVoid, serial: 2, note: "lost"})
	apply(record{kind: wallet.KindPut, register: "card:1", value: "one"})
	apply(record{kind: wallet.KindFreeze, flags: flagFrozen, wallet: o})
	apply(record{kind: wallet.KindDeliver, wallet: o, ends: visit, rule: "post", resource: "post:/a", visits: 2, until: 6000})
	return s
}

func TestASnapshotHoldsEverything(t *testing.T) {
	d := newDisk(rand.New(rand.NewPCG(1, 1)))
	want := &snapshot{state: fullState(t), position: 4711, sequence: 42}
	want.state.ids.charges.dropped, want.state.ids.money.dropped = 77, 88
	if _, err := want.store(d, ledgerID{1}); err != nil {
		t.Fatal(err)
	}
	got, err := decodeSnapshot(d.shown[snapshotName].shown, ledgerID{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.position != want.position || got.sequence != want.sequence {
		t.Errorf("position %d, sequence %d", got.position, got.sequence)
	}
	comparePlain(t, plainState(got.state, 1000), plainState(want.state, 1000))
	if got.state.ids.charges.dropped != 77 || got.state.ids.money.dropped != 88 {
		t.Error("invariant 3: it forgets up to which time ids were forgotten")
	}
	if _, err := decodeSnapshot(d.shown[snapshotName].shown, ledgerID{2}, nil); err == nil {
		t.Error("a snapshot of another ledger was taken")
	}
}
