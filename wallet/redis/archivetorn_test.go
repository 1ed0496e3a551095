package redis

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A process that is killed while it writes leaves a part of its last write. Wherever it
// ends, the archive opens again with what was durable before, and goes on (invariant 5).
func TestATornWriteIsCutOffAtEveryByte(t *testing.T) {
	base := t.TempDir()
	all := someEntries("a", 1, 8)
	a := attached(t, base)
	mustAppend(t, a, 0, all[:6])
	file := segmentsIn(t, base, 0)[0]
	before := len(readFile(t, file))
	if err := a.Append(context.Background(), 0, all[6:]); err != nil {
		t.Fatal(err)
	}
	mustClose(t, a)
	whole := readFile(t, file)
	seven := before + frameHeader + len(all[6].Text)
	for end := before; end <= len(whole); end++ {
		writeFile(t, file, whole[:end])
		want := all[:6]
		if end >= seven {
			want = all[:7]
		}
		if end == len(whole) {
			want = all
		}
		a := attached(t, base)
		mustRead(t, a, 0, want)
		mustAppend(t, a, 0, all[len(want):])
		mustRead(t, a, 0, all)
		mustClose(t, a)
	}
}

// A power cut may keep the later part of a write and not the earlier: it was not durable,
// and is cut off. The same hole in what was durable is damage.
func TestAHoleIsCutOffOnlyInTheLastWrite(t *testing.T) {
	all := someEntries("a", 1, 9)
	for _, test := range []struct {
		name    string
		damaged int // entry
		cut     bool
	}{
		{"in the last write", 8, true}, // which has 7, 8 and 9
		{"at its beginning", 7, true},
		{"in the write before", 6, false},
		{"at the beginning of the segment", 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := t.TempDir()
			a := attached(t, path)
			mustAppend(t, a, 0, all)
			mustClose(t, a)
			file := segmentsIn(t, path, 0)[0]
			b := readFile(t, file)
			at := segmentHeader
			for _, e := range all[:test.damaged-1] {
				at += frameHeader + len(e.Text)
			}
			clear(b[at : at+frameHeader+len(all[test.damaged-1].Text)])
			writeFile(t, file, b)
			a = attached(t, path)
			if !test.cut {
				if _, err := a.Last(context.Background(), 0); !errors.Is(err, wallet.ErrCorrupt) {
					t.Fatalf("got %v", err)
				}
				return
			}
			mustRead(t, a, 0, all[:test.damaged-1])
			mustAppend(t, a, 0, all[test.damaged-1:])
			mustRead(t, a, 0, all)
		})
	}
}

// What a file system left behind the end after a power cut is no entry.
func TestZerosAndRubbishBehindTheEndAreCutOff(t *testing.T) {
	all := someEntries("a", 1, 6)
	for _, rubbish := range [][]byte{make([]byte, 1), make([]byte, 5000), []byte("rubbish"), []byte(segmentMagic)} {
		path := t.TempDir()
		a := attached(t, path)
		mustAppend(t, a, 0, all[:3])
		mustClose(t, a)
		file := segmentsIn(t, path, 0)[0]
		writeFile(t, file, append(readFile(t, file), rubbish...))
		writeFile(t, filepath.Join(filepath.Dir(file), newSegment), []byte("half a header"))
		a = attached(t, path)
		mustRead(t, a, 0, all[:3])
		mustAppend(t, a, 0, all[3:])
		mustRead(t, a, 0, all)
	}
}

// One bit in any segment: it is refused, or it was in the last write and is cut off, and
// no entry is ever another than was written.
func TestAFlippedBitIsNeverReadAsAnEntry(t *testing.T) {
	base := t.TempDir()
	all := someEntries("a", 1, 15)
	for i := range all {
		all[i].Text = all[i].Text[:3+i] // each bit takes some milliseconds
	}
	a := smallArchive(t, base)
	a.size = 500
	if _, err := a.Attach(context.Background(), someLedger); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, a, 0, all)
	mustClose(t, a)
	files := segmentsIn(t, base, 0)
	refused, cut := 0, 0
	for _, file := range files {
		whole := readFile(t, file)
		for bit := range 8 * len(whole) {
			if bit%8 != bit/8%8 { // one bit of each byte, another one each time
				continue
			}
			b := slices.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			writeFile(t, file, b)
			found, err := readDirectory(t, base)
			switch {
			case len(found) > len(all) || !slices.Equal(found, all[:len(found)]):
				t.Fatalf("bit %d of %s: an entry is read as another", bit, filepath.Base(file))
			case errors.Is(err, wallet.ErrCorrupt):
				refused++
			case err != nil:
				t.Fatalf("bit %d of %s: %v", bit, filepath.Base(file), err)
			case len(found) < 12 || file != files[len(files)-1]: // the last write has 13, 14 and 15
				t.Fatalf("bit %d of %s: %d entries are left, and nobody says so", bit, filepath.Base(file), len(found))
			case len(found) < len(all):
				cut++
			}
			writeFile(t, file, whole)
		}
	}
	t.Logf("%d bits refused, %d cut off", refused, cut)
	if refused == 0 || cut == 0 {
		t.Error("only one of both: this proves nothing")
	}
}

// Who writes an entry of their own into a segment, with a checksum that is right, has not
// changed the links of those behind it, nor that in the next segment's header
// (invariant 7).
func TestAnEntryThatWasReplacedIsFoundOut(t *testing.T) {
	for _, which := range []string{"first", "last"} {
		path := t.TempDir()
		a := attached(t, path)
		mustAppend(t, a, 0, someEntries("a", 1, 60))
		n, segments := a.shards[0].segments[1], segmentsIn(t, path, 0)
		mustClose(t, a)
		file := segments[1]
		b := readFile(t, file)
		at, before := int64(segmentHeader), n.link
		for {
			f, ok := decodeFrame(b[at:], n.mark)
			if !ok {
				t.Fatal("the segment does not read")
			}
			if which == "first" || at+f.size == int64(len(b)) {
				f.Text = "b" + f.Text[1:]
				forged, _ := appendFrame(nil, n.mark, f.synced, before, &f.Entry)
				copy(b[at:], forged)
				break
			}
			at, before = at+f.size, f.link
		}
		writeFile(t, file, b)
		if _, err := readDirectory(t, path); !errors.Is(err, wallet.ErrCorrupt) {
			t.Errorf("the %s entry of a segment was replaced: %v", which, err)
		}
	}
}

func readDirectory(t *testing.T, path string) ([]Entry, error) {
	t.Helper()
	d, err := openDirectory(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if _, err := d.Attach(context.Background(), someLedger); err != nil {
		return nil, err
	}
	return readAll(d, 0, 1, 1<<40)
}

// A write that fails and cannot be taken back stops the archive; opened again it has what
// was durable.
func TestAWriteThatFailsLeavesNothing(t *testing.T) {
	path := t.TempDir()
	a := attached(t, path)
	all := someEntries("a", 1, 6)
	mustAppend(t, a, 0, all[:3])
	s := a.shards[0]
	readOnly, err := os.Open(s.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	writable := s.file
	s.file = readOnly
	if err := a.Append(context.Background(), 0, all[3:]); err == nil {
		t.Fatal("a file that cannot be written took entries")
	}
	if err := a.Append(context.Background(), 0, all[3:]); err == nil {
		t.Fatal("an archive that could not take a write back goes on")
	}
	readOnly.Close()
	writable.Close()
	a.Close()
	a = attached(t, path)
	mustRead(t, a, 0, all[:3])
	mustAppend(t, a, 0, all[3:])
	mustRead(t, a, 0, all)
}
