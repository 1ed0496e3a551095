package bridge

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
)

// EMVConfig has bank cards taken as tokens of prepaid wallets. Nothing is charged to them.
type EMVConfig struct {
	// AcceptPCIScope must be true: a machine that reads the numbers of bank cards is in the
	// scope of PCI DSS, whatever it does with them.
	AcceptPCIScope bool `json:"accept_pci_scope"`

	// Authorities is a file with the keys of the schemes whose cards are taken: see
	// [emv.ParseAuthorities]. Nobody but its owner may write it.
	Authorities string `json:"authorities"`

	// KeyFile is a file with the key of the tokens, 32 bytes or more, the same at all
	// kiosks of a paywall. Nobody but its owner may read it.
	KeyFile string `json:"key_file"`

	// Country and Currency are what cards are told, three digits each, of ISO 3166 and ISO
	// 4217. Default: none, which most cards take.
	Country  string `json:"country"`
	Currency string `json:"currency"`
}

var errScope = errors.New("emv: a machine that reads bank cards is in the scope of PCI DSS: talk to your acquirer, then write \"accept_pci_scope\": true, or leave emv out")

// terminal is what reads bank cards; nil where none are taken.
func (e *EMVConfig) terminal() (*emv.Terminal, error) {
	if e == nil {
		return nil, nil //nolint:nilnil // none is taken: no terminal, and no error
	}
	if !e.AcceptPCIScope {
		return nil, errScope
	}
	t := &emv.Terminal{Currency: emv.NoCurrency, Now: time.Now, Random: rand.Reader}
	const others = 0o077
	key, err := readGuarded(e.KeyFile, others)
	if err != nil {
		return nil, fmt.Errorf("emv: key_file: %w", err)
	}
	if t.Key = bytes.TrimSpace(key); len(t.Key) < emv.KeySize {
		return nil, fmt.Errorf("emv: key_file has %d bytes, and needs %d", len(t.Key), emv.KeySize)
	}
	const othersWrite = 0o022
	authorities, err := readGuarded(e.Authorities, othersWrite)
	if err == nil {
		t.Authorities, err = emv.ParseAuthorities(authorities)
	}
	if err != nil {
		return nil, fmt.Errorf("emv: authorities: %w", err)
	}
	for _, code := range []struct {
		to     *[2]byte
		digits string
	}{{&t.Country, e.Country}, {&t.Currency, e.Currency}} {
		if code.digits == "" {
			continue
		}
		packed, err := hex.DecodeString("0" + code.digits)
		if _, bad := strconv.ParseUint(code.digits, 10, 16); bad != nil || err != nil || len(packed) != len(code.to) {
			return nil, fmt.Errorf("emv: country and currency have three digits each, such as 756, not %q", code.digits)
		}
		*code.to = [2]byte(packed)
	}
	return t, nil
}

// readGuarded reads a file that others may not do more with than is allowed.
func readGuarded(path string, forbidden fs.FileMode) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if about.Mode().Perm()&forbidden != 0 {
		return nil, fmt.Errorf("others than its owner have rights to %s that they must not have (%v): chmod 600 it", path, about.Mode().Perm())
	}
	if about.Size() > mostGuarded {
		return nil, fmt.Errorf("%s has more than %d bytes", path, mostGuarded)
	}
	return io.ReadAll(io.LimitReader(f, mostGuarded))
}

// mostGuarded is the most bytes that such a file has.
const mostGuarded = 1 << 20
