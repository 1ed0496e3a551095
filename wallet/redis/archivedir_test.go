package redis

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func TestAnArchiveHasWhatItWasGivenAlsoWhenOpenedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "archive")
	all, others := someEntries("a", 1, 300), someEntries("other", 1, 7)
	a := attached(t, path)
	mustAppend(t, a, 0, all[:250])
	mustAppend(t, a, 3, others)
	mustRead(t, a, 0, all[:250])
	mustClose(t, a)
	a = attached(t, path)
	mustAppend(t, a, 0, all[250:])
	mustRead(t, a, 0, all)
	mustRead(t, a, 3, others)
	mustRead(t, a, 1, nil)
	if n := len(segmentsIn(t, path, 0)); n < 5 {
		t.Fatalf("%d segments: too few to prove anything", n)
	}
}

// A segment of the size that is used is searched by halving.
func TestAnEntryInALargeSegmentIsFound(t *testing.T) {
	a := attached(t, t.TempDir())
	a.size = segmentSize
	all := someEntries("a", 1, 20_000)
	for some := range slices.Chunk(all, 1000) {
		if err := a.Append(context.Background(), 0, some); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= len(all); n += 97 {
		found, err := readAll(a, 0, uint64(n), uint64(n+1))
		if err != nil || len(found) == 0 || found[0] != all[n-1] {
			t.Fatalf("entry %d: %v, %v", n, found, err)
		}
	}
}

func TestAnArchiveTakesNoGapsAndNothingTwice(t *testing.T) {
	a := attached(t, t.TempDir())
	mustAppend(t, a, 0, someEntries("a", 1, 5))
	for _, wrong := range [][]Entry{
		someEntries("a", 5, 6), someEntries("a", 7, 8), {{Sequence: 6}}, append(someEntries("a", 6, 6), someEntries("a", 8, 8)...),
	} {
		if err := a.Append(context.Background(), 0, wrong); !errors.Is(err, wallet.ErrInvalid) {
			t.Errorf("appending %d behind 5: %v", wrong[0].Sequence, err)
		}
	}
	mustRead(t, a, 0, someEntries("a", 1, 5))
}

func TestARewoundArchiveHasTheNewerHistory(t *testing.T) {
	path := t.TempDir()
	a := attached(t, path)
	old := someEntries("old", 1, 100)
	mustAppend(t, a, 0, old)
	mustRewind(t, a, 0, old[59])
	mustRead(t, a, 0, old[:60])
	mustClose(t, a) // a segment without entries is the last one
	a = attached(t, path)
	mustRead(t, a, 0, old[:60])
	newer := someEntries("newer", 61, 80)
	mustAppend(t, a, 0, newer)
	mustRead(t, a, 0, append(old[:60:60], newer...))
	mustRewind(t, a, 0, old[29]) // twice, and over more than one segment
	newest := someEntries("the newest", 31, 150)
	mustAppend(t, a, 0, newest)
	want := append(old[:30:30], newest...)
	mustRead(t, a, 0, want)
	mustClose(t, a)
	a = attached(t, path)
	mustRead(t, a, 0, want)
	if err := a.Rewind(context.Background(), 0, Place{Sequence: 151}); !errors.Is(err, wallet.ErrInvalid) {
		t.Errorf("rewinding forwards: %v", err)
	}
	mustRewind(t, a, 0, Entry{})
	mustRead(t, a, 0, nil)
	mustAppend(t, a, 0, old)
	mustRead(t, a, 0, old)
}

func TestADirectoryBelongsToOneProcessAndOneLedger(t *testing.T) {
	path := t.TempDir()
	a := smallArchive(t, path)
	if _, err := a.Last(context.Background(), 0); err == nil {
		t.Error("nobody's archive answers")
	}
	mustClose(t, a)
	a = attached(t, path)
	if _, err := OpenDirectory(path); !errors.Is(err, wallet.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	name, err := a.Attach(context.Background(), someLedger)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, a)
	if _, err := a.Last(context.Background(), 0); err == nil {
		t.Error("a closed archive answers")
	}
	a = smallArchive(t, path)
	if _, err := a.Attach(context.Background(), strings.Repeat("ff", 16)); err == nil || !strings.Contains(err.Error(), "another ledger") {
		t.Errorf("another ledger's: %v", err)
	}
	if again, err := a.Attach(context.Background(), someLedger); err != nil || again != name {
		t.Errorf("the archive %s is called %s when opened again: %v", name, again, err)
	}
}

func TestADirectoryThatIsNotWholeIsRefused(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, path string){
		"the identity is gone": func(t *testing.T, path string) { os.Remove(filepath.Join(path, archiveIdentity)) },
		"the identity is damaged": func(t *testing.T, path string) {
			writeFile(t, filepath.Join(path, archiveIdentity), []byte("archive of the ledger"))
		},
		"a segment is gone": func(t *testing.T, path string) { os.Remove(segmentsIn(t, path, 0)[2]) },
		"a segment has another name": func(t *testing.T, path string) {
			last := segmentsIn(t, path, 0)
			os.Rename(last[len(last)-1], filepath.Join(filepath.Dir(last[0]), "00000077-0000000000000001.journal"))
		},
		"a segment is another shard's": func(t *testing.T, path string) {
			writeFile(t, segmentsIn(t, path, 0)[0], readFile(t, segmentsIn(t, path, 1)[0]))
		},
		"a segment is cut short": func(t *testing.T, path string) {
			if err := os.Truncate(segmentsIn(t, path, 0)[1], segmentHeader+500); err != nil {
				t.Fatal(err)
			}
		},
		"a segment without entries": func(t *testing.T, path string) {
			if err := os.Truncate(segmentsIn(t, path, 0)[1], segmentHeader); err != nil {
				t.Fatal(err)
			}
		},
		"a segment is half a header": func(t *testing.T, path string) {
			if err := os.Truncate(segmentsIn(t, path, 0)[1], segmentHeader/2); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			a := attached(t, path)
			mustAppend(t, a, 0, someEntries("a", 1, 100))
			mustAppend(t, a, 1, someEntries("b", 1, 100))
			mustClose(t, a)
			harm(t, path)
			d, err := openDirectory(path)
			if err == nil {
				defer d.Close()
				if _, err = d.Attach(context.Background(), someLedger); err == nil {
					_, err = readAll(d, 0, 1, 100)
				}
			}
			if !errors.Is(err, wallet.ErrCorrupt) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOldSegmentsMayBeMovedAwayAndBack(t *testing.T) {
	path, away := t.TempDir(), t.TempDir()
	a := attached(t, path)
	all := someEntries("a", 1, 100)
	mustAppend(t, a, 0, all[:90])
	mustClose(t, a)
	first := segmentsIn(t, path, 0)[0]
	moved := filepath.Join(away, filepath.Base(first))
	writeFile(t, moved, readFile(t, first))
	os.Remove(first)
	a = attached(t, path)
	mustAppend(t, a, 0, all[90:])
	if found, err := readAll(a, 0, 60, 100); err != nil || !slices.Equal(found, all[59:]) {
		t.Errorf("what is left: %d, %v", len(found), err)
	}
	if _, err := readAll(a, 0, 1, 100); err == nil || !strings.Contains(err.Error(), "moved away") {
		t.Errorf("what was moved away: %v", err)
	}
	mustClose(t, a)
	writeFile(t, first, readFile(t, moved))
	mustRead(t, attached(t, path), 0, all)
}
