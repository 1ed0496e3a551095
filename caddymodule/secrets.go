package caddymodule

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	// The files of a paywall that keeps its own keys, in dataPath.
	secretFile   = "secret"
	keyringFile  = "signing_keys.json"
	operatorFile = "operator_credential"

	keyRotation   = 90 * 24 * time.Hour
	quoteLabel    = "quote"
	tokenAudience = appName
)

// dataPath is the path of one of the paywall's files in Caddy's data directory.
func dataPath(name string) string { return filepath.Join(caddy.AppDataDir(), appName, name) }

// givenKeys is what the configuration says of keys, placeholders expanded.
type givenKeys struct {
	secret  wallet.Secret
	fixed   bool // whether there is a secret
	signing []string
}

// resolveKeys expands and checks the configured keys. An empty environment
// variable or a missing file is an error: an empty key would let anybody sign.
func resolveKeys(secret string, signing []string) (givenKeys, error) {
	var given givenKeys
	if secret != "" {
		text, err := expandSecret(secret)
		if err != nil {
			return givenKeys{}, fmt.Errorf("secret: %w", err)
		}
		if given.secret, err = wallet.ParseSecret(text); err != nil {
			return givenKeys{}, fmt.Errorf("secret: %w", err)
		}
		given.fixed = true
	}
	for i, key := range signing {
		text, err := expandSecret(key)
		if err != nil {
			return givenKeys{}, fmt.Errorf("signing key %d: %w", i+1, err)
		}
		given.signing = append(given.signing, text)
	}
	if len(given.signing) > 0 {
		if _, err := wallet.ConfigureKeyring(given.signing, tokenAudience, time.Hour); err != nil {
			return givenKeys{}, fmt.Errorf("signing keys: %w", err)
		}
	}
	return given, nil
}

func expandSecret(template string) (string, error) {
	text, err := caddy.NewReplacer().ReplaceOrErr(template, true, true)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(text) == "" {
		return "", errors.New("it is empty; check the environment variable or file that it names")
	}
	return text, nil
}

// keys is every key of a running paywall.
type keys struct {
	ring     *wallet.Keyring
	quotes   wallet.Key
	receipts wallet.Key
	vouchers wallet.Key
	recovery wallet.Key
	kiosks   kiosk.Keys
	operator [sha256.Size]byte // hash of the operator's credential
}

// openKeys takes the configured keys and, where there are none, those kept in
// Caddy's data directory, which it makes at the first start.
func (a *App) openKeys() (*keys, error) {
	secret, err := a.openSecret()
	if err != nil {
		return nil, err
	}
	ring, err := a.openKeyring()
	if err != nil {
		return nil, err
	}
	ring = warm(ring)
	operator, err := keptText(operatorFile, a.drawText)
	if err != nil {
		return nil, err
	}
	kiosks, err := kioskKeys(secret)
	if err != nil {
		return nil, err
	}
	return &keys{
		kiosks:   kiosks,
		ring:     ring,
		quotes:   secret.Derive(quoteLabel),
		receipts: secret.Derive(receiptLabel),
		vouchers: secret.Derive(wallet.LabelVoucher),
		recovery: secret.Derive(wallet.LabelRecovery),
		operator: sha256.Sum256([]byte(operator)),
	}, nil
}

func (a *App) openSecret() (wallet.Secret, error) {
	if a.given.fixed {
		return a.given.secret, nil
	}
	text, err := keptText(secretFile, a.drawText)
	if err != nil {
		return wallet.Secret{}, err
	}
	secret, err := wallet.ParseSecret(text)
	if err != nil {
		return wallet.Secret{}, fmt.Errorf("%s: %w", dataPath(secretFile), err)
	}
	return secret, nil
}

func (a *App) drawText() (string, error) {
	secret, err := wallet.NewSecret(a.random)
	if err != nil {
		return "", err
	}
	return secret.Text(), nil
}

// lastRing is the ring that was opened last. It is global because a reload must
// not have every token verified anew: of a hundred thousand readers that is
// seconds of the processor.
var lastRing atomic.Pointer[wallet.Keyring]

// warm is the ring that was opened last, with the tokens that it has verified,
// where it is the same as fresh.
func warm(fresh *wallet.Keyring) *wallet.Keyring {
	if last := lastRing.Load(); last != nil && last.Equal(fresh) {
		return last
	}
	lastRing.Store(fresh)
	return fresh
}

// openKeyring rotates a kept ring at a start or reload once its newest key is
// old enough.
func (a *App) openKeyring() (*wallet.Keyring, error) {
	lifetime, now := time.Duration(a.TokenLifetime), a.now()
	if len(a.given.signing) > 0 {
		return wallet.ConfigureKeyring(a.given.signing, tokenAudience, lifetime)
	}
	text, err := keptText(keyringFile, func() (string, error) {
		ring, err := wallet.NewKeyring(tokenAudience, lifetime, now, a.random)
		if err != nil {
			return "", err
		}
		return ring.Text(), nil
	})
	if err != nil {
		return nil, err
	}
	ring, err := wallet.ParseKeyring(text, tokenAudience, lifetime)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dataPath(keyringFile), err)
	}
	if now.Sub(ring.Created()) < keyRotation {
		return ring, nil
	}
	if ring, err = ring.Rotate(now, a.random); err != nil {
		return nil, fmt.Errorf("rotating %s: %w", dataPath(keyringFile), err)
	}
	return ring, replaceFile(dataPath(keyringFile), ring.Text())
}

// isOperator reports whether the credential is the operator's.
func (k *keys) isOperator(credential string) bool {
	sum := sha256.Sum256([]byte(credential))
	return subtle.ConstantTimeCompare(sum[:], k.operator[:]) == 1
}

// keptText reads a file of the data directory, or makes it. Two processes that
// make it at once agree on one: a link to a finished file is made or fails.
func keptText(name string, draw func() (string, error)) (string, error) {
	path := dataPath(name)
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	fresh, err := draw()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	temporary, err := writeSynced(path, fresh)
	if err != nil {
		return "", err
	}
	defer os.Remove(temporary)
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	text, err = os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// replaceFile puts text in the place of a file's, all or nothing.
func replaceFile(path, text string) error {
	temporary, err := writeSynced(path, text)
	if err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// writeSynced writes text to a new file beside path, readable by its owner
// only, and returns the file's name.
func writeSynced(path, text string) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return "", err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err := f.WriteString(text + "\n"); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}
