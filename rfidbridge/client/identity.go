package client

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Identity is what makes a machine a kiosk: a name, a key that never leaves it, and the
// sequence of its requests, in a file that its user alone may read. It prints without its
// key. It is safe for concurrent use.
type Identity struct {
	Site  string // the paywall's address, such as https://news.example
	Kiosk string

	path string
	key  func() ed25519.PrivateKey // a closure, because fmt prints what fields hold

	mu       sync.Mutex
	sequence uint64
	reserved uint64 // up to which the file says that they are used
}

// reserve is how many numbers of the sequence are taken at a time: each time the file is
// written and synced.
const reserve = 1000

type identityFile struct {
	Site     string `json:"site"`
	Kiosk    string `json:"kiosk"`
	Seed     []byte `json:"seed"`
	Sequence uint64 `json:"sequence"`
}

var errIdentity = errors.New("this is no identity of a kiosk; enrol it again")

// New is a kiosk's identity that is not enrolled yet, with a key drawn from random.
func newIdentity(path, site string, random io.Reader) (*Identity, error) {
	_, key, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, err
	}
	return &Identity{Site: site, path: path, key: func() ed25519.PrivateKey { return key }}, nil
}

// Load reads the identity of a kiosk that has been enrolled.
func Load(path string) (*Identity, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: this machine is no kiosk yet; enrol it", err)
	}
	if err != nil {
		return nil, err
	}
	var f identityFile
	if json.Unmarshal(text, &f) != nil || len(f.Seed) != ed25519.SeedSize || !wire.IsName(f.Kiosk) {
		return nil, fmt.Errorf("%s: %w", path, errIdentity)
	}
	key := ed25519.NewKeyFromSeed(f.Seed)
	return &Identity{
		Site: f.Site, Kiosk: f.Kiosk, path: path, key: func() ed25519.PrivateKey { return key }, sequence: f.Sequence, reserved: f.Sequence,
	}, nil
}

// String names the kiosk.
func (i *Identity) String() string { return "kiosk " + i.Kiosk + " of " + i.Site }

// Key is the kiosk's own: a closure, as the field is.
func (i *Identity) Key() func() ed25519.PrivateKey { return i.key }

// Beside is the path of another file of the kiosk's.
func (i *Identity) Beside(name string) string { return filepath.Join(filepath.Dir(i.path), name) }

func (i *Identity) public() ed25519.PublicKey { return i.key().Public().(ed25519.PublicKey) }

// next is the next number of the sequence. None comes twice, whenever the machine loses
// power: the file is ahead of what is used.
func (i *Identity) next() (uint64, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sequence == i.reserved {
		if err := i.save(i.reserved + reserve); err != nil {
			return 0, fmt.Errorf("keeping the sequence of the kiosk's requests: %w", err)
		}
		i.reserved += reserve
	}
	i.sequence++
	return i.sequence, nil
}

// save writes the file, all or nothing.
func (i *Identity) save(sequence uint64) error {
	text, err := json.Marshal(identityFile{i.Site, i.Kiosk, i.key().Seed(), sequence})
	if err != nil {
		return err
	}
	dir := filepath.Dir(i.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".identity-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), i.path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
