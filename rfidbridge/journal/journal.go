// Package journal is what a kiosk has written down of its taps, so that after a crash at
// any instant it knows what it owes whom.
//
// It promises that what Append has accepted is on the disk, in order and unchanged: each line
// carries the hash of the one before, a line that was torn by a crash is the last one and is
// dropped, and a journal that was altered is refused. After a write that has failed it takes
// nothing any more: a kiosk that cannot write must not open anything. It is not safe for
// concurrent use: one goroutine owns a kiosk's taps.
//
// It does not know money, and has nothing of a card in it: a grant is sealed by the paywall.
package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Step is how far a tap has come.
type Step string

// The steps, in their order. Opened and Failed exclude each other.
const (
	Intent  Step = "intent"  // the paywall is about to be asked
	Granted Step = "granted" // it has set the money aside, and nothing has been opened yet
	Opened  Step = "opened"  // the product has been handed out: the money is to be captured
	Failed  Step = "failed"  // it has not: the money is to be released
	Done    Step = "done"    // nothing is owed
)

// Entry is one step of a tap.
type Entry struct {
	Tap     wallet.OpID `json:"tap"`
	Step    Step        `json:"step"`
	Time    int64       `json:"time"` // milliseconds since 1970, by the kiosk's clock
	Product string      `json:"product,omitempty"`
	Grant   string      `json:"grant,omitempty"`
	Offline bool        `json:"offline,omitempty"` // the grant is the kiosk's own
	Outcome string      `json:"outcome,omitempty"` // of the last step: what became of the tap
}

// line is an entry as it stands in the file.
type line struct {
	Previous string `json:"previous"` // SHA-256 of the line before, in hex; of the first line nothing
	Entry    Entry  `json:"entry"`
}

// ErrCorrupt is a journal that is not as it was written.
var ErrCorrupt = errors.New("the kiosk's journal is damaged or was altered")

var errEntry = errors.New("this is no step that the journal can keep")

const (
	mostLine = 16 << 10
	// compactAt is the size at which a journal is written anew when it is opened.
	compactAt = 1 << 20
)

// Journal is an open one.
type Journal struct {
	path    string
	file    *os.File
	last    string // hash of the last line
	size    int64
	pending map[wallet.OpID]Entry
	order   []wallet.OpID
	failed  error
}

// Open reads a journal, or begins one.
func Open(path string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	j := &Journal{path: path, pending: make(map[wallet.OpID]Entry)}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole, err := j.read(text)
	if err != nil {
		return nil, err
	}
	if len(text) > compactAt {
		return j, j.compact()
	}
	if j.file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if whole < len(text) { // torn by a crash: nobody was told of it
		err = j.file.Truncate(int64(whole))
	}
	j.size = int64(whole)
	return j, errors.Join(err, j.file.Sync(), syncDir(path))
}

// read takes the lines in, and returns how many bytes of them are whole.
func (j *Journal) read(text []byte) (whole int, err error) {
	for n := 1; ; n++ {
		raw, _, ended := bytes.Cut(text[whole:], []byte("\n"))
		var l line
		switch {
		case len(raw) >= mostLine:
			return 0, fmt.Errorf("%w: line %d is longer than any", ErrCorrupt, n)
		case !ended:
			return whole, nil // it was being written
		case json.Unmarshal(raw, &l) != nil || l.Previous != j.last:
			return 0, fmt.Errorf("%w: line %d does not follow from those before it", ErrCorrupt, n)
		}
		whole += len(raw) + 1
		j.last = hashOf(raw)
		j.note(l.Entry)
	}
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// note keeps the last step of each tap that is not done, with its grant.
func (j *Journal) note(e Entry) {
	before, known := j.pending[e.Tap]
	switch {
	case e.Step == Done:
		delete(j.pending, e.Tap)
		return
	case !known:
		j.order = append(j.order, e.Tap)
	}
	if e.Grant == "" {
		e.Grant = before.Grant
	}
	if e.Product == "" {
		e.Product = before.Product
	}
	e.Offline = e.Offline || before.Offline
	j.pending[e.Tap] = e
}

// Pending are the last steps of the taps that are not done, the oldest first.
func (j *Journal) Pending() (all []Entry) {
	kept := j.order[:0]
	for _, tap := range j.order {
		if e, pending := j.pending[tap]; pending {
			all = append(all, e)
			kept = append(kept, tap)
		}
	}
	j.order = kept
	return all
}

// Append writes a step down. When it returns nil, the step survives a loss of power.
func (j *Journal) Append(e Entry) error {
	if j.failed != nil {
		return j.failed
	}
	raw, err := json.Marshal(line{j.last, e})
	if err == nil {
		err = json.Unmarshal(raw, new(line)) // what does not read would shut the journal at the next start
	}
	if err != nil || len(raw) >= mostLine {
		return errors.Join(errEntry, err)
	}
	if _, err = j.file.WriteAt(append(raw, '\n'), j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.failed = fmt.Errorf("the kiosk cannot write its journal, and opens nothing: %w", err)
		return j.failed
	}
	j.size += int64(len(raw)) + 1
	j.last = hashOf(raw)
	j.note(e)
	return nil
}

// compact writes a new journal of what is not done, in the place of the old one.
func (j *Journal) compact() error {
	left, path := j.Pending(), j.path+".new"
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fresh, err := Open(path)
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := fresh.Append(e); err != nil {
			return errors.Join(err, fresh.Close())
		}
	}
	if err := os.Rename(path, j.path); err != nil {
		return errors.Join(err, fresh.Close())
	}
	fresh.path = j.path
	*j = *fresh
	return syncDir(j.path)
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
