package local

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// busyLedger makes a ledger of several segments, closes it, and returns its
// directory and the receipts of its charges.
func busyLedger(t *testing.T) (dir string, charges []wallet.Charge) {
	t.Helper()
	dir = t.TempDir()
	l := openAt(t, dir, time.Now)
	w := ledgertest.NewWallet(t, l, time.Now, 100*wallet.Unit)
	for len(l.journal.list()) < 4 || l.journal.wrote < smallSegments/2 {
		c := wallet.Charge{
			ID: newID(), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/" + newID().String(),
			Price: wallet.Unit / 1000, Window: time.Hour,
		}
		done(t)(l.Charge(context.Background(), c))
		charges = append(charges, c)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, charges
}

// segmentFiles are the paths of a ledger's segments, in order.
func segmentFiles(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, segmentPrefix+"*"))
	if err != nil || len(paths) < 3 {
		t.Fatalf("segments %v, %v; the test needs three", paths, err)
	}
	slices.Sort(paths)
	return paths
}

// mustRefuse opens a damaged ledger: it must say that it is corrupt, where, and
// what to do, and leave the directory as it was.
func mustRefuse(t *testing.T, dir, where string) {
	t.Helper()
	before := contents(t, dir)
	l, err := Open(Options{Dir: dir, SegmentSize: smallSegments})
	if err == nil {
		l.Close()
		t.Fatal("a damaged ledger was opened")
	}
	if !errors.Is(err, wallet.ErrCorrupt) || !strings.Contains(err.Error(), where) || !strings.Contains(err.Error(), "backup") {
		t.Fatalf("error %q; want ErrCorrupt with %q and what to do", err, where)
	}
	if !slices.Equal(before, contents(t, dir)) {
		t.Error("a refused ledger was changed")
	}
}

func contents(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name()+"\x00"+string(read(t, filepath.Join(dir, e.Name()))))
	}
	return all
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func overwrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, durable.FileMode); err != nil {
		t.Fatal(err)
	}
}

// frameOffsets are where the frames of a segment begin.
func frameOffsets(t *testing.T, path string) []int64 {
	t.Helper()
	b := read(t, path)
	s, _, err := decodeSegment(b)
	if err != nil {
		t.Fatal(err)
	}
	var offsets []int64
	at, sequence := int64(segmentHeader), s.sequence
	for {
		records, whole := openFrame(b[at:], sequence, s.epoch)
		if !whole {
			return offsets
		}
		offsets = append(offsets, at)
		at += frameSize(len(records))
		sequence++
	}
}

func flip(t *testing.T, path string, offset int64) {
	t.Helper()
	b := read(t, path)
	b[offset] ^= 0x10
	overwrite(t, path, b)
}

// A journal that is damaged where whole frames follow has lost what it had
// acknowledged, and must not be taken for one that a crash has torn
// (invariant 5).
func TestDamageInTheMiddleIsRefused(t *testing.T) {
	for name, part := range map[string]int64{"in the length": 0, "in the checksum": 4, "in the sequence": 8, "in the epoch": 16, "in a record": 40} {
		t.Run(name, func(t *testing.T) {
			dir, _ := busyLedger(t)
			last := segmentFiles(t, dir)
			offsets := frameOffsets(t, last[len(last)-1])
			flip(t, last[len(last)-1], offsets[len(offsets)/2]+part)
			mustRefuse(t, dir, filepath.Base(last[len(last)-1]))
		})
	}
}

func TestALostSectorInTheMiddleIsRefused(t *testing.T) {
	dir, _ := busyLedger(t)
	files := segmentFiles(t, dir)
	path := files[len(files)-1]
	offsets := frameOffsets(t, path)
	b := read(t, path)
	clear(b[offsets[2]:offsets[4]])
	overwrite(t, path, b)
	mustRefuse(t, dir, filepath.Base(path))
}

func TestADamagedSealedSegmentIsRefusedOrFoundByVerify(t *testing.T) {
	dir, _ := busyLedger(t)
	sealed := segmentFiles(t, dir)[1]
	flip(t, sealed, frameOffsets(t, sealed)[3]+30)

	// With its snapshot the ledger starts without reading the segment.
	l := openAt(t, dir, time.Now)
	if _, err := l.Verify(context.Background()); !errors.Is(err, wallet.ErrCorrupt) {
		t.Errorf("invariant 7: Verify of a damaged journal answers %v, want ErrCorrupt", err)
	}
	if _, err := l.Report(context.Background(), time.Unix(0, 0), time.Now()); !errors.Is(err, wallet.ErrCorrupt) {
		t.Errorf("Report of a damaged journal answers %v, want ErrCorrupt", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, snapshotName)); err != nil {
		t.Fatalf("no snapshot was made of sealed segments: %v", err)
	}
	mustRefuse(t, dir, filepath.Base(sealed))
}

func TestAMissingSegmentIsRefused(t *testing.T) {
	for i, where := range []string{segmentName(0), "cut short, or one behind it is missing"} {
		dir, _ := busyLedger(t)
		if err := os.Remove(segmentFiles(t, dir)[i]); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, where)
	}
}

func TestASegmentOfAnotherLedgerIsRefused(t *testing.T) {
	dir, _ := busyLedger(t)
	other, _ := busyLedger(t)
	overwrite(t, segmentFiles(t, dir)[0], read(t, segmentFiles(t, other)[0]))
	mustRefuse(t, dir, "another ledger")
}

func TestADamagedSegmentHeaderIsRefused(t *testing.T) {
	for _, offset := range []int64{0, 7, 9, 25, 33, 41, 60} {
		dir, _ := busyLedger(t)
		files := segmentFiles(t, dir)
		flip(t, files[len(files)-1], offset)
		mustRefuse(t, dir, filepath.Base(files[len(files)-1]))
	}
}

// A backup of the journal older than the snapshot beside it would forget what
// the snapshot knows to be acknowledged.
func TestAJournalShorterThanItsSnapshotIsRefused(t *testing.T) {
	dir, _ := busyLedger(t)
	files := segmentFiles(t, dir)
	for _, lost := range files[len(files)-2:] {
		if err := os.Remove(lost); err != nil {
			t.Fatal(err)
		}
	}
	mustRefuse(t, dir, "before the snapshot")
}

// A flight that a crash has torn was never acknowledged: the ledger opens
// without it, and what is left of it never comes back.
func TestATornTailIsDropped(t *testing.T) {
	dir, charges := busyLedger(t)
	files := segmentFiles(t, dir)
	path := files[len(files)-1]
	offsets := frameOffsets(t, path)
	b := read(t, path)
	tail := offsets[len(offsets)-1]
	end := tail + int64(len(bytes.TrimRight(b[tail:], "\x00")))
	clear(b[tail+50 : end-1]) // its last byte and its header are there, and nothing between
	overwrite(t, path, b)

	l := openAt(t, dir, time.Now)
	ledgertest.AssertConserved(t, l)
	for i, c := range charges {
		r, err := l.Charge(context.Background(), c)
		want := wallet.Replayed
		if i == len(charges)-1 {
			want = wallet.Applied // a shorter or longer frame may now stand where the torn one was
		}
		if err != nil || r.Outcome != want {
			t.Fatalf("charge %d of %d: %v, %v; want %v", i, len(charges), r.Outcome, err, want)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ledgertest.AssertConserved(t, openAt(t, dir, time.Now))
}

// What an older file left on the disk where the journal now reaches ahead has
// right checksums, and may have the right sequence number too.
func TestWhatAnOldFileLeftIsNotReplayed(t *testing.T) {
	dir, charges := busyLedger(t)
	files := segmentFiles(t, dir)
	path := files[len(files)-1]
	offsets := frameOffsets(t, path)
	b := read(t, path)
	s, _, err := decodeSegment(b)
	if err != nil {
		t.Fatal(err)
	}
	last := offsets[len(offsets)-1]
	records, whole := openFrame(b[last:], s.sequence+uint64(len(offsets))-1, s.epoch)
	if !whole {
		t.Fatal("the last frame does not read")
	}
	old := sealFrame(append(make([]byte, frameHeader), records...), s.sequence+uint64(len(offsets)), s.epoch+1)
	copy(b[last+frameSize(len(records)):], old)
	overwrite(t, path, b)

	l := openAt(t, dir, time.Now)
	ledgertest.AssertConserved(t, l)
	for _, c := range charges {
		if r, err := l.Charge(context.Background(), c); err != nil || r.Outcome != wallet.Replayed {
			t.Fatalf("invariant 5: %v, %v", r.Outcome, err)
		}
	}
}
