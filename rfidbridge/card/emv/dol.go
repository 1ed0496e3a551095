package emv

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// datum is one thing that the terminal says of itself and of the transaction.
type datum struct {
	value   []byte
	numeric bool // decimal digits: filled up and cut on the left
}

// told is all that a terminal says in one transaction.
type told map[uint32]datum

// sizeUnpredictable is how long the terminal's challenge is.
const sizeUnpredictable = 4

// The terminal's fixed data. The transaction is for nothing, in no currency, and could be
// charged to nobody; the card is asked to sign it for somebody who goes online, so that it
// does not count it against what it may spend offline.
const (
	qualifiers   = "21800000" // 9F66: EMV mode, signs also online; the cryptogram is wanted online
	capabilities = "0008C8"   // 9F33: no PIN is asked; knows every kind of signature
	unattended   = "25"       // 9F35: a merchant's, unattended, online and offline
	noCVM        = "1F0302"   // 9F34: none is needed
)

// tells is what the terminal says in a transaction of now, with a fresh challenge.
func (t *Terminal) tells() (told, error) {
	challenge := make([]byte, sizeUnpredictable)
	if _, err := io.ReadFull(t.Random, challenge); err != nil {
		return nil, fmt.Errorf("no random numbers: %w", err)
	}
	now := t.Now().UTC()
	return told{
		tagUnpredictable: {value: challenge},
		tagAmount:        {make([]byte, 6), true},
		tagCurrency:      {t.Currency[:], true},
		0x9F03:           {make([]byte, 6), true}, // cash back
		0x9F1A:           {t.Country[:], true},
		0x9A:             {decimals(now.Format("060102")), true},
		0x9F21:           {decimals(now.Format("150405")), true},
		0x9C:             {[]byte{0x00}, true}, // goods and services
		0x95:             {value: make([]byte, 5)},
		0x9F66:           {value: decimals(qualifiers)},
		0x9F33:           {value: decimals(capabilities)},
		0x9F35:           {decimals(unattended), true},
		0x9F34:           {value: decimals(noCVM)},
	}, nil
}

// decimals packs constants and dates.
func decimals(digits string) []byte {
	packed, err := hex.DecodeString(digits)
	if err != nil {
		panic(err) // the caller's are digits
	}
	return packed
}

// answers gives a card what it asks for by a list of tags and lengths (DOL), value after
// value. What the terminal does not know is zeros (EMV Book 3, 5.4).
func (t told) answers(list []byte) ([]byte, error) {
	values := []byte{}
	for len(list) > 0 {
		tag, _, rest, err := cutTag(list)
		if err != nil || len(rest) == 0 {
			return nil, errTLV
		}
		length := int(rest[0])
		if length > mostData-len(values) {
			return nil, fmt.Errorf("%w: it asks for more than fits", errTLV)
		}
		values = append(values, t[tag].sized(length)...)
		list = rest[1:]
	}
	return values, nil
}

// sized is the datum with a length.
func (d datum) sized(length int) []byte {
	fit := make([]byte, length)
	if d.numeric {
		copy(fit[max(0, length-len(d.value)):], d.value[max(0, len(d.value)-length):])
	} else {
		copy(fit, d.value)
	}
	return fit
}

// asks reports whether a list has a tag at a length.
func asks(list []byte, tag uint32, length int) bool {
	for len(list) > 0 {
		got, _, rest, err := cutTag(list)
		if err != nil || len(rest) == 0 {
			return false
		}
		if got == tag && int(rest[0]) == length {
			return true
		}
		list = rest[1:]
	}
	return false
}

// dateOf reads YYMMDD, and returns when that day is over.
func dateOf(packed []byte) (time.Time, bool) {
	if len(packed) != 3 {
		return time.Time{}, false
	}
	day, err := time.Parse("060102", hex.EncodeToString(packed))
	if err != nil {
		return time.Time{}, false
	}
	if day.Year() < 2000 { // two digits of this century
		day = day.AddDate(100, 0, 0)
	}
	return day.AddDate(0, 0, 1), true
}
