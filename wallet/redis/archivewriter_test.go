package redis

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// sink takes what is written, and fails when told to.
type sink struct {
	bytes.Buffer
	synced int
	room   int // bytes until it fails; negative: it does not
	err    error
}

var errSink = errors.New("the sink is full")

func (s *sink) Write(b []byte) (int, error) {
	if s.room >= 0 && len(b) > s.room {
		n, _ := s.Buffer.Write(b[:s.room])
		s.room = -1
		return n, errSink
	}
	return s.Buffer.Write(b)
}

func (s *sink) Sync() error {
	s.synced = s.Len()
	return s.err
}

func writing(t testing.TB, s *sink, last func(context.Context, string, int) (Place, error)) Archive {
	t.Helper()
	a, err := NewWriter(s, WriterOptions{Name: "tape", Last: last})
	if err != nil {
		t.Fatal(err)
	}
	if name, err := a.Attach(context.Background(), someLedger); err != nil || name != "tape" {
		t.Fatalf("attached as %q, %v", name, err)
	}
	return a
}

// written is what counts of what was written: of a number written twice, the later.
func writtenTo(t testing.TB, s *sink) map[int][]Entry {
	t.Helper()
	found := make(map[int][]Entry)
	if err := ReadWritten(bytes.NewReader(s.Bytes()), func(shard int, e Entry) error {
		kept := found[shard]
		for len(kept) > 0 && kept[len(kept)-1].Sequence >= e.Sequence {
			kept = kept[:len(kept)-1]
		}
		found[shard] = append(kept, e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAWriterGetsEntriesOfAllShards(t *testing.T) {
	s := &sink{room: -1}
	a := writing(t, s, nil)
	one, two := someEntries("one", 1, 20), someEntries("two", 1, 9)
	mustAppend(t, a, 0, one[:9])
	mustAppend(t, a, 1, two)
	mustAppend(t, a, 0, one[9:])
	if s.synced != s.Len() {
		t.Error("the last write was not synced")
	}
	found := writtenTo(t, s)
	if !slices.Equal(found[0], one) || !slices.Equal(found[1], two) {
		t.Errorf("written: %d and %d entries", len(found[0]), len(found[1]))
	}
	if err := a.Read(context.Background(), 0, 1, 2, nil); !errors.Is(err, errUnreadable) {
		t.Errorf("Read: %v", err)
	}
	if last, err := a.Last(context.Background(), 0); err != nil || last != one[19].place() {
		t.Errorf("Last: %v, %v", last, err)
	}
}

func TestAWriterGoesOnBehindWhatItsCallerHas(t *testing.T) {
	all := someEntries("one", 1, 20)
	s := &sink{room: -1}
	a := writing(t, s, func(_ context.Context, ledger string, shard int) (Place, error) {
		if ledger != someLedger || shard != 2 {
			t.Errorf("asked for shard %d of %s", shard, ledger)
		}
		return Place{Sequence: 12}, nil
	})
	if err := a.Append(context.Background(), 2, all[:12]); !errors.Is(err, wallet.ErrInvalid) {
		t.Errorf("appending what is there: %v", err)
	}
	mustAppend(t, a, 2, all[12:])
	if found := writtenTo(t, s); !slices.Equal(found[2], all[12:]) {
		t.Errorf("written: %v", found)
	}
}

// Whatever half of a write arrives, what is written when it is tried again can be read.
func TestAWriteThatFailsHalfwayIsRepeated(t *testing.T) {
	all := someEntries("one", 1, 12)
	for i := range all {
		all[i].Text = all[i].Text[:4]
	}
	for room := range 700 {
		s := &sink{room: -1}
		a := writing(t, s, nil)
		mustAppend(t, a, 0, all[:6])
		s.room = room
		err := a.Append(context.Background(), 0, all[6:9])
		if s.room >= 0 { // all of it arrived
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, errSink) {
			t.Fatalf("with room for %d bytes: %v", room, err)
		}
		mustAppend(t, a, 0, all[6:])
		if found := writtenTo(t, s); !slices.Equal(found[0], all) {
			t.Fatalf("with room for %d bytes: %d entries", room, len(found[0]))
		}
	}
	t.Error("it never had room")
}

func TestAWriterThatDoesNotSyncTakesNothing(t *testing.T) {
	s := &sink{room: -1, err: errSink}
	a := writing(t, s, nil)
	if err := a.Append(context.Background(), 0, someEntries("a", 1, 3)); !errors.Is(err, errSink) {
		t.Errorf("Append: %v", err)
	}
	if last, err := a.Last(context.Background(), 0); err != nil || last.Sequence != 0 {
		t.Errorf("Last: %v, %v", last, err)
	}
}

func TestARewoundWriterSaysSo(t *testing.T) {
	s := &sink{room: -1}
	a := writing(t, s, nil)
	old, newer := someEntries("old", 1, 10), someEntries("newer", 5, 20)
	mustAppend(t, a, 0, old)
	mustRewind(t, a, 0, old[3])
	mustAppend(t, a, 0, newer)
	if found := writtenTo(t, s); !slices.Equal(found[0], append(old[:4:4], newer...)) {
		t.Errorf("written: %v", found[0])
	}
}

func TestWhatIsMissingInTheMiddleIsNotPassedOver(t *testing.T) {
	s := &sink{room: -1}
	a := writing(t, s, nil)
	mustAppend(t, a, 0, someEntries("one", 1, 9))
	mustAppend(t, a, 1, someEntries("two", 1, 9))
	mustAppend(t, a, 0, someEntries("one", 10, 12))
	whole := s.Bytes()
	read := func(b []byte) (n int, err error) {
		err = ReadWritten(bytes.NewReader(b), func(int, Entry) error { n++; return nil })
		return n, err
	}
	if n, err := read(whole); err != nil || n != 21 {
		t.Fatalf("%d entries, %v", n, err)
	}
	harmed := slices.Clone(whole)
	harmed[segmentHeader+frameHeader] ^= 1 // the text of the first entry of shard 0
	if _, err := read(harmed); !errors.Is(err, wallet.ErrCorrupt) {
		t.Errorf("entries of shard 0 are missing: %v", err)
	}
}

func TestASegmentOfADirectoryReadsLikeWhatWasWritten(t *testing.T) {
	path := t.TempDir()
	a := attached(t, path)
	all := someEntries("a", 1, 12)
	mustAppend(t, a, 5, all)
	s := &sink{room: -1}
	s.Buffer.Write(readFile(t, segmentsIn(t, path, 5)[0]))
	if found := writtenTo(t, s); !slices.Equal(found[5], all) {
		t.Errorf("read: %v", found)
	}
}

func writtenOf(t testing.TB, s *sink, shard int) []Entry {
	t.Helper()
	return writtenTo(t, s)[shard]
}

// The journal of a ledger goes to any writer. What it was trimmed of cannot be read from
// there, and who asks for it hears so.
func TestAJournalGoesToAWriter(t *testing.T) {
	s := &sink{room: -1}
	a, err := NewWriter(s, WriterOptions{Name: "tape"})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 3, Archive: a, pace: eager}
	l := openOn(t, o, nil)
	acknowledged := make(map[int][]wallet.Charge)
	for range 6 {
		id := ledgertest.NewWallet(t, l, time.Now, 100*pagePrice)
		n := l.shardOf(id).number
		acknowledged[n] = append(acknowledged[n], views(t, l, id, time.Now, 30)...)
	}
	for n := range acknowledged {
		soon(t, "the journal is trimmed", func() bool { return len(inMemory(t, l, n)) == 1 })
	}
	if _, err := l.Verify(context.Background()); !errors.Is(err, errUnreadable) {
		t.Errorf("an audit: %v", err)
	}
	for _, charges := range acknowledged {
		if got := entriesOfWallet(t, l, charges[0].Wallet); len(got) > 1 {
			t.Errorf("%d entries are listed", len(got))
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for n, charges := range acknowledged {
		ids := idsOf(t, writtenOf(t, s, n))
		for _, c := range charges {
			if !ids[c.ID] {
				t.Errorf("shard %d: an acknowledged charge was not written", n)
			}
		}
	}
}

func TestAWriterNeedsAName(t *testing.T) {
	if _, err := NewWriter(new(sink), WriterOptions{}); err == nil {
		t.Error("an archive without a name")
	}
}
