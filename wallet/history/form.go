package history

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The forms of values in the file.

// text is a string of any bytes: a resource is a path, and a path may be in any
// encoding. JSON would take what is not UTF-8 for something else.
type text string

type hexText struct {
	Hex string `json:"hex"`
}

// MarshalJSON implements [json.Marshaler].
func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(hexText{hex.EncodeToString([]byte(t))})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(form []byte) error {
	if len(form) == 0 || form[0] != '{' {
		return json.Unmarshal(form, (*string)(t))
	}
	var bytes hexText
	if err := strict(form, &bytes); err != nil {
		return err
	}
	decoded, err := hex.DecodeString(bytes.Hex)
	*t = text(decoded)
	return err
}

// money is an amount as a decimal, of either sign: sums may be below zero and
// above wallet.MaxAmount.
type money wallet.Amount

// MarshalText implements [encoding.TextMarshaler].
func (m money) MarshalText() ([]byte, error) { return []byte(wallet.Amount(m).Format(0)), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *money) UnmarshalText(form []byte) error {
	const places = 6
	digits, below := strings.CutPrefix(string(form), "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || len(fraction) > places || strings.Trim(whole+fraction, "0123456789") != "" {
		return fmt.Errorf("%.40q is no amount", form)
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", places-len(fraction)), 10, 64)
	if err != nil {
		return fmt.Errorf("%.40q is no amount", form)
	}
	if below {
		n = -n
	}
	*m = money(n)
	return nil
}

// id is an operation's or a wallet's. Which kind of UUID it is, the ledger that
// took it has not asked either.
type id [16]byte

// MarshalText implements [encoding.TextMarshaler].
func (i id) MarshalText() ([]byte, error) { return wallet.WalletID(i).MarshalText() }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (i *id) UnmarshalText(form []byte) error { return (*wallet.WalletID)(i).UnmarshalText(form) }

// digest is 32 bytes in hex.
type digest [32]byte

// MarshalText implements [encoding.TextMarshaler].
func (d digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *digest) UnmarshalText(form []byte) error {
	if len(form) != 2*len(d) {
		return errors.New("not 64 digits of hex")
	}
	_, err := hex.Decode(d[:], form)
	return err
}
