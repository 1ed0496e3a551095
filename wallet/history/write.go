package history

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Summary is what a file has.
type Summary struct {
	Currency string // ISO 4217
	Deeds    uint64
	Sums
}

// Ledger is a ledger whose history can be written.
type Ledger interface {
	Source
	Verify(ctx context.Context) (wallet.Audit, error)
}

// ErrUnsound says that a ledger's books do not add up, or are not what its history comes
// to. Its history is not written, and one that was written is not trusted.
var ErrUnsound = errors.New("the books do not add up")

// Write writes all that has happened in a ledger. Its books are recomputed before
// and after that, and must add up; where nothing happened in between they must
// have the sums of what was written. What was written before an error is no file:
// the end is missing, and Replay refuses it.
func Write(ctx context.Context, w io.Writer, l Ledger, currency wallet.Currency) (Summary, error) {
	before, err := verify(ctx, l)
	if err != nil {
		return Summary{}, err
	}
	out := newWriter(w)
	s := Summary{Currency: currency.String()}
	if err := out.line(header{formatName, formatVersion, s.Currency}); err != nil {
		return s, err
	}
	err = l.History(ctx, func(d Deed) error {
		form, err := lineOf(d)
		if err != nil {
			return err
		}
		s.Deeds++
		s.add(d)
		return out.line(form)
	})
	if err != nil {
		return s, err
	}
	after, err := verify(ctx, l)
	if err != nil {
		return s, err
	}
	if still := before.Entries == after.Entries; still && s.Sums != sumsOf(after) {
		return s, fmt.Errorf("%w: the history comes to %v, and the ledger has %v", ErrUnsound, s.Sums, sumsOf(after))
	}
	if err := out.line(line{End: s.trailer(out.hash.Sum(nil))}); err != nil {
		return s, err
	}
	return s, out.lines.Flush()
}

// verify recomputes the books of a ledger, which must add up.
func verify(ctx context.Context, l interface {
	Verify(ctx context.Context) (wallet.Audit, error)
}) (wallet.Audit, error) {
	a, err := l.Verify(ctx)
	if err == nil && !a.OK() {
		err = fmt.Errorf("%w: the sum of all accounts is %s, and %d have other balances than their journal says",
			ErrUnsound, a.Sum, len(a.Differences))
	}
	return a, err
}

// writer writes lines and hashes them.
type writer struct {
	lines *bufio.Writer
	hash  hash.Hash
}

func newWriter(w io.Writer) *writer {
	return &writer{bufio.NewWriterSize(w, maxLine), sha256.New()}
}

// line writes one line and adds it to the hash.
func (w *writer) line(of any) error {
	form, err := formOfLine(of)
	if err != nil {
		return err
	}
	w.hash.Write(form)
	_, err = w.lines.Write(form)
	return err
}

func formOfLine(of any) ([]byte, error) {
	b, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	if len(b) >= maxLine {
		return nil, fmt.Errorf("a line of %d bytes, must be below %d", len(b), maxLine)
	}
	return append(b, '\n'), nil
}
