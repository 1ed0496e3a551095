package offline

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// state is what a kiosk keeps of all this, beside the records in its journal. Times are in
// milliseconds since 1970, by the paywall's clock.
type state struct {
	Noted    int64          `json:"noted"`   // newest time that was known
	Contact  int64          `json:"contact"` // when the paywall last answered
	News     int64          `json:"news"`    // when all denials were last heard
	Denials  uint64         `json:"denials"` // up to which they were heard
	Head     wire.Head      `json:"head"`    // of the records that are settled
	Terms    *wire.Offline  `json:"terms,omitempty"`
	Products []wire.Product `json:"products,omitempty"`
	Currency string         `json:"currency,omitempty"`

	Cards map[tap.ID]*known `json:"cards"`
}

// ErrState is a file that this machine has not written, or not so.
var ErrState = errors.New("what this kiosk knows of cards is damaged, or another machine's; without the file it begins anew")

// mostState is the most that a file of mostCards is.
const mostState = 1 << 20

// file keeps a state, sealed with a key that is derived from the machine's own.
type file struct {
	path string
	seal cipher.AEAD
}

func newFile(path string, key [32]byte) (file, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return file{}, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	return file{path, seal}, err
}

// load reads the state; there may be none yet.
func (f file) load() (state, error) {
	s := state{Cards: make(map[tap.ID]*known)}
	sealed, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return s, err
	case len(sealed) > mostState:
		return s, fmt.Errorf("%s: %w", f.path, ErrState)
	}
	text, err := f.seal.Open(nil, nil, sealed, nil)
	if err != nil || json.Unmarshal(text, &s) != nil || s.Cards == nil {
		return state{Cards: make(map[tap.ID]*known)}, fmt.Errorf("%s: %w", f.path, ErrState)
	}
	return s, nil
}

// save writes the state, all or nothing: when it returns nil, it survives a loss of power.
func (f file) save(s *state) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	to, err := os.CreateTemp(dir, ".offline-*")
	if err != nil {
		return err
	}
	defer os.Remove(to.Name())
	_, err = to.Write(f.seal.Seal(nil, nil, text, nil)) //nolint:gosec // the nonce is drawn by the AEAD itself
	if err := errors.Join(err, to.Sync(), to.Close()); err != nil {
		return err
	}
	if err := os.Rename(to.Name(), f.path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
