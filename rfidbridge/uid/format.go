package uid

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Format is how a reader writes a UID. Families of readers differ: what is on the card as
// 04 A3 94 93 comes as 04A39493, as 9394A304, or as a decimal number of either.
type Format string

// The formats, by their names in a configuration.
const (
	Hex             Format = "hex"              // in the card's order; blanks, colons and dashes between bytes are allowed
	HexReversed     Format = "hex_reversed"     // the last byte first
	Decimal         Format = "decimal"          // of 4 bytes, in the card's order
	DecimalReversed Format = "decimal_reversed" // of 4 bytes, the last byte first
	Decimal10       Format = "decimal10"        // of 125 kHz readers: the last 4 of 5 bytes, the first of which is lost
	Facility        Format = "facility"         // 125,04567: the same by its third byte and its last two
)

// Formats are all there are.
var Formats = []Format{Hex, HexReversed, Decimal, DecimalReversed, Decimal10, Facility}

// mostText is longer than what any format writes.
const mostText = 40

var errText = errors.New("this is no UID in the reader's format")

// Parse reads what a reader has written. The error does not have it in it.
func (f Format) Parse(text string) (UID, error) {
	if len(text) > mostText {
		return UID{}, errText
	}
	text = strings.TrimSpace(text)
	switch f {
	case Hex, HexReversed:
		b, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "", "-", "").Replace(text))
		if err != nil {
			return UID{}, errText
		}
		if f == HexReversed {
			slices.Reverse(b)
		}
		return New(b)
	case Decimal, DecimalReversed:
		n, err := parseDigits(text, 32)
		if err != nil {
			return UID{}, err
		}
		if f == Decimal {
			return New(binary.BigEndian.AppendUint32(nil, n))
		}
		return New(binary.LittleEndian.AppendUint32(nil, n))
	case Decimal10:
		n, err := parseDigits(text, 32)
		if err != nil {
			return UID{}, err
		}
		return New(binary.BigEndian.AppendUint32([]byte{0}, n))
	case Facility:
		return parseFacility(text)
	}
	return UID{}, fmt.Errorf("there is no uid_format %q; there are %v", string(f), Formats)
}

// parseFacility reads 125,04567. Its two numbers have lost the first two bytes of five.
func parseFacility(text string) (UID, error) {
	first, second, found := strings.Cut(text, ",")
	if !found {
		return UID{}, errText
	}
	facility, err := parseDigits(first, 8)
	if err != nil {
		return UID{}, err
	}
	number, err := parseDigits(second, 16)
	if err != nil {
		return UID{}, err
	}
	return New([]byte{0, 0, byte(facility), byte(number >> 8), byte(number)})
}

// parseDigits reads digits alone: no sign, no blank.
func parseDigits(text string, bits int) (uint32, error) {
	if strings.Trim(text, "0123456789") != "" {
		return 0, errText
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return 0, errText
	}
	return uint32(n), nil
}
