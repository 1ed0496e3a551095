package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func open(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func write(t testing.TB, j *Journal, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func tap(n byte) wallet.OpID { return wallet.OpID{6: 0x70, 8: 0x80, 15: n} }

// story is a tap at every step, and two that are done.
var story = []Entry{
	{Tap: tap(1), Step: Intent, Product: "coffee"}, {Tap: tap(1), Step: Granted, Grant: "sealed 1"}, {Tap: tap(1), Step: Opened},
	{Tap: tap(2), Step: Intent, Product: "gate"}, {Tap: tap(2), Step: Done, Outcome: "no_money"},
	{Tap: tap(3), Step: Intent, Product: "gate"}, {Tap: tap(1), Step: Done, Outcome: "captured"},
	{Tap: tap(4), Step: Intent, Product: "gate"}, {Tap: tap(4), Step: Granted, Grant: "sealed 4"},
	{Tap: tap(5), Step: Intent, Product: "tea"}, {Tap: tap(5), Step: Granted, Grant: "sealed 5"}, {Tap: tap(5), Step: Failed},
}

var left = []Entry{
	{Tap: tap(3), Step: Intent, Product: "gate"}, {Tap: tap(4), Step: Granted, Grant: "sealed 4", Product: "gate"},
	{Tap: tap(5), Step: Failed, Grant: "sealed 5", Product: "tea"},
}

func TestWhatIsNotDoneIsKnownAfterACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "journal")
	j := open(t, path)
	write(t, j, story...)
	for range 3 {
		if got := j.Pending(); !reflect.DeepEqual(got, left) {
			t.Fatalf("what is left is %+v, want %+v", got, left)
		}
		j = open(t, path)
	}
}

// A crash tears the last line at any byte: what was accepted before is there, and the
// journal goes on.
func TestATornLineIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	write(t, open(t, path), story...)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	for cut := before; cut < len(text); cut++ {
		if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j := open(t, path)
		if got := j.Pending(); len(got) != 3 || got[2].Step != Granted {
			t.Fatalf("cut at %d of %d: %+v", cut, len(text), got)
		}
		write(t, j, Entry{Tap: tap(5), Step: Failed})
		if got := open(t, path).Pending(); !reflect.DeepEqual(got, left) {
			t.Fatalf("cut at %d it goes on as %+v", cut, got)
		}
	}
}

// The attack: whoever has the kiosk's disk takes taps out of the journal, or changes them.
func TestAForgedJournalIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	write(t, open(t, path), story...)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines = lines[:len(lines)-1]
	for name, forged := range map[string]string{
		"a line less":      strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""),
		"lines exchanged":  lines[0] + lines[2] + lines[1] + strings.Join(lines[3:], ""),
		"the first gone":   strings.Join(lines[1:], ""),
		"another product":  strings.Replace(string(text), "coffee", "coffin", 1),
		"a line twice":     lines[0] + string(text),
		"something else":   "hello\n" + string(text),
		"a line too long":  strings.Repeat("x", mostLine+1) + "\n",
		"an empty line":    "\n" + string(text),
		"cut in its midst": string(text[:200]) + "\n" + string(text[300:]),
	} {
		if err := os.WriteFile(path, []byte(forged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALongJournalIsWrittenAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := open(t, path)
	write(t, j, Entry{Tap: tap(200), Step: Intent, Product: "gate"})
	long := strings.Repeat("x", 10_000)
	for n := range 120 {
		write(t, j, Entry{Tap: tap(byte(n)), Step: Granted, Grant: long}, Entry{Tap: tap(byte(n)), Step: Done})
	}
	write(t, j, Entry{Tap: tap(201), Step: Granted, Grant: "sealed"})
	want := j.Pending()
	for range 2 {
		j = open(t, path)
		if got := j.Pending(); !reflect.DeepEqual(got, want) || len(got) != 2 {
			t.Fatalf("what is left is %+v, want %+v", got, want)
		}
		if info, err := os.Stat(path); err != nil || info.Size() > 2000 {
			t.Errorf("it has %v bytes, %v", info.Size(), err)
		}
		write(t, j, Entry{Tap: tap(200), Step: Intent, Product: "gate"})
	}
}

// A kiosk that cannot write takes nothing any more, also when the disk is well again: what
// stands in the file then, nobody knows.
func TestAJournalThatCannotBeWrittenStaysShut(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "journal"))
	write(t, j, story[0])
	file := j.file
	closed, err := os.Open(j.path)
	if err != nil {
		t.Fatal(err)
	}
	j.file = closed // for reading alone
	if err := j.Append(story[1]); err == nil {
		t.Fatal("it is written")
	}
	j.file = file
	if err := j.Append(story[1]); err == nil || len(j.Pending()) != 1 || j.Pending()[0].Step != Intent {
		t.Errorf("it goes on: %v, %+v", err, j.Pending())
	}
	closed.Close()
}

func FuzzJournal(f *testing.F) {
	path := filepath.Join(f.TempDir(), "journal")
	write(f, open(f, path), story...)
	text, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)-3])
	f.Add([]byte("{}\n"))
	f.Add([]byte("{\"previous\":\"\",\"entry\":{\"tap\":\"00000000-0000-7000-8000-000000000001\"}}\n"))
	f.Add([]byte(fmt.Sprintf("%s\n", `{"previous":"","entry":{"step":"intent"}}`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		j := &Journal{pending: make(map[wallet.OpID]Entry)}
		whole, err := j.read(text)
		if err != nil {
			return
		}
		if whole > len(text) || whole > 0 && text[whole-1] != '\n' {
			t.Fatalf("%d bytes of %d are whole", whole, len(text))
		}
		again := &Journal{pending: make(map[wallet.OpID]Entry)}
		if n, err := again.read(text[:whole]); err != nil || n != whole || !reflect.DeepEqual(again.Pending(), j.Pending()) {
			t.Errorf("what is whole reads as %+v, %v, and was %+v", again.Pending(), err, j.Pending())
		}
	})
}
