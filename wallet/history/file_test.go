package history_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// refused checks that a file is refused before anything is opened.
func (s *teller) refused(what string, file []byte, why error) {
	s.Helper()
	to, err := s.replay(file)
	if !errors.Is(err, why) || to.opened {
		s.Errorf("%s: %v, opened %v; want %v before anything is opened", what, err, to.opened, why)
	}
}

// Whatever byte an accident changes, also in the sums at the end: no amount comes
// out of it (invariant 1).
func TestAFileWithAnyByteChangedIsRefused(t *testing.T) {
	s := newTeller(t)
	s.live()
	file := s.file()
	for i := range file {
		for _, other := range []byte{file[i] ^ 1, file[i] ^ 0x20, '9', '\n', 0} {
			if other == file[i] {
				continue
			}
			changed := bytes.Clone(file)
			changed[i] = other
			if summary, err := history.Check(bytes.NewReader(changed)); !errors.Is(err, history.ErrFile) {
				t.Fatalf("byte %d, %q in the place of %q: %+v, %v", i, other, file[i], summary, err)
			}
		}
	}
	s.refused("an altered amount", bytes.Replace(file, []byte(`"amount":"10"`), []byte(`"amount":"90"`), 1), history.ErrFile)
	ledgertest.AssertConserved(t, s.ledger())
}

// A disk that was full, or a connection that broke off, leaves the beginning of a
// file (invariant 1).
func TestAFileThatIsCutAnywhereIsRefused(t *testing.T) {
	s := newTeller(t)
	s.live()
	file := s.file()
	for n := range file {
		if summary, err := history.Check(bytes.NewReader(file[:n])); !errors.Is(err, history.ErrFile) {
			t.Fatalf("the first %d of %d bytes: %+v, %v", n, len(file), summary, err)
		}
	}
	s.refused("half a file", file[:len(file)/2], history.ErrFile)
	ledgertest.AssertConserved(t, s.ledger())
}

// Lines in another order, left out, doubled, or of two files: money that was spent
// would be there again (invariants 1 and 3).
func TestAFileOfOtherLinesIsRefused(t *testing.T) {
	s := newTeller(t)
	s.live()
	file := s.file()
	lines := strings.SplitAfter(strings.TrimSuffix(string(file), "\n"), "\n")
	lines[len(lines)-1] += "\n"
	join := func(lines ...string) []byte { return []byte(strings.Join(lines, "")) }
	for i := 1; i+1 < len(lines); i++ {
		without := append(append([]string{}, lines[:i]...), lines[i+1:]...)
		s.refused("a line is left out", join(without...), history.ErrFile)
		doubled := append(append([]string{}, lines[:i+1]...), lines[i:]...)
		s.refused("a line is there twice", join(doubled...), history.ErrFile)
		swapped := append([]string{}, lines...)
		swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
		s.refused("two lines are swapped", join(swapped...), history.ErrFile)
	}
	last := lines[len(lines)-1]
	for what, wrong := range map[string][]byte{
		"nothing":                 nil,
		"an empty line":           []byte("\n"),
		"the end alone":           []byte(last),
		"a header and the end":    join(lines[0], last),
		"two files":               append(bytes.Clone(file), file...),
		"an empty line behind it": append(bytes.Clone(file), '\n'),
		"Windows' line ends":      bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")),
		"no line end at the end":  bytes.TrimSuffix(file, []byte("\n")),
		"a newer version":         bytes.Replace(file, []byte(`"version":1`), []byte(`"version":2`), 1),
		"another program's":       bytes.Replace(file, []byte("caddy-paywall"), []byte("wordpress-pay"), 1),
		"an unknown field":        bytes.Replace(file, []byte(`"with":{`), []byte(`"with":{"tip":"1",`), 1),
		"an unknown operation":    bytes.Replace(file, []byte(`"do":"charge"`), []byte(`"do":"charm"`), 1),
		"a field of the line":     bytes.Replace(file, []byte(`"do":"charge"`), []byte(`"colour":1,"do":"charge"`), 1),
		"an endless line":         append(bytes.Clone(file[:len(lines[0])]), bytes.Repeat([]byte("a"), 1<<20)...),
		"a page of a web site":    []byte("<!doctype html>\n<title>404</title>\n"),
	} {
		s.refused(what, wrong, history.ErrFile)
	}
	ledgertest.AssertConserved(t, s.ledger())
}

// An export that breaks off in the middle must not look like a whole one
// (invariant 1).
func TestAnExportThatFailsLeavesNoWholeFile(t *testing.T) {
	s := newTeller(t)
	s.live()
	broken := errors.New("the disk is full")
	for deeds := range len(s.deeds()) {
		var file bytes.Buffer
		l := &failing{Ledger: s.l, after: deeds, with: broken}
		if _, err := history.Write(t.Context(), &file, l, dollars(t)); !errors.Is(err, broken) {
			t.Errorf("the export answers %v", err)
		}
		if _, err := history.Check(&file); !errors.Is(err, history.ErrFile) {
			t.Errorf("after %d deeds the file is taken for a whole one: %v", deeds, err)
		}
	}
	if _, err := history.Write(t.Context(), fullDisk{}, s.l, dollars(t)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("onto a full disk: %v", err)
	}
	ledgertest.AssertConserved(t, s.ledger())
}

// failing is a ledger that cannot be read to its end.
type failing struct {
	history.Ledger
	after int
	with  error
}

func (f *failing) History(ctx context.Context, yield func(history.Deed) error) error {
	return f.Ledger.History(ctx, func(d history.Deed) error {
		if f.after--; f.after < 0 {
			return f.with
		}
		return yield(d)
	})
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// Books that do not add up are not carried on as if they did (invariants 1 and 7).
func TestBooksThatDoNotAddUpAreNotExported(t *testing.T) {
	s := newTeller(t)
	s.live()
	for what, audit := range map[string]func(a *wallet.Audit){
		"a sum that is not zero":       func(a *wallet.Audit) { a.Sum = 1 },
		"a balance that differs":       func(a *wallet.Audit) { a.Differences = []wallet.Difference{{Account: "site", Ledger: 1}} },
		"books that the history lacks": func(a *wallet.Audit) { a.Available++; a.Funding-- },
		"a wallet too many":            func(a *wallet.Audit) { a.Wallets++ },
	} {
		var file bytes.Buffer
		_, err := history.Write(t.Context(), &file, &unsound{s.l, audit}, dollars(t))
		if _, whole := history.Check(&file); !errors.Is(err, history.ErrUnsound) || whole == nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	ledgertest.AssertConserved(t, s.ledger())
}

type unsound struct {
	history.Ledger
	spoil func(*wallet.Audit)
}

func (u *unsound) Verify(ctx context.Context) (wallet.Audit, error) {
	a, err := u.Ledger.Verify(ctx)
	u.spoil(&a)
	return a, err
}
