package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	formatName    = "caddy-paywall history"
	formatVersion = 1

	// maxLine is the bytes of a line: wallet.MaxVouchers digests and a note fit
	// in it.
	maxLine = 128 << 10
)

// header is the first line.
type header struct {
	Format   string `json:"format"`
	Version  int    `json:"version"`
	Currency string `json:"currency"`
}

// line is any other: a deed, or the end.
type line struct {
	Time    int64           `json:"time,omitzero"` // milliseconds since 1970
	Do      string          `json:"do,omitempty"`
	Amount  money           `json:"amount,omitzero"`
	Balance money           `json:"balance,omitzero"`
	With    json.RawMessage `json:"with,omitempty"`
	End     *trailer        `json:"end,omitempty"`
}

// trailer is the last line.
type trailer struct {
	Deeds   uint64 `json:"deeds"`
	Wallets int    `json:"wallets"`
	Money   money  `json:"money"`
	Site    money  `json:"site"`
	Funding money  `json:"funding"`
	SHA256  digest `json:"sha256"`
}

func (s Summary) trailer(hash []byte) *trailer {
	return &trailer{s.Deeds, s.Wallets, money(s.Money), money(s.Site), money(s.Funding), digest(hash)}
}

// lineOf is the line of a deed.
func lineOf(d Deed) (line, error) {
	name, known := names[reflect.TypeOf(d.Op)]
	if !known {
		return line{}, fmt.Errorf("a %T is no operation of a ledger", d.Op)
	}
	with, err := encodeFields(d.Op)
	if err != nil {
		return line{}, fmt.Errorf("%s: %w", name, err)
	}
	return line{Time: d.Time.UnixMilli(), Do: name, Amount: money(d.Amount), Balance: money(d.Balance), With: with}, nil
}

// deed is the deed of a line.
func (l *line) deed() (Deed, error) {
	of, known := operations[l.Do]
	if !known {
		return Deed{}, fmt.Errorf("an operation %.40q, which a newer version may know", l.Do)
	}
	op, err := decodeFields(of, l.With)
	if err != nil {
		return Deed{}, fmt.Errorf("%s: %w", l.Do, err)
	}
	return Deed{
		Time: time.UnixMilli(l.Time).UTC(), Op: op,
		Amount: wallet.Amount(l.Amount), Balance: wallet.Amount(l.Balance),
	}, nil
}

// strict reads one JSON value and nothing else, and no field that is unknown.
func strict(form []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(form))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something behind the value")
	}
	return nil
}
