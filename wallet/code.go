package wallet

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// ErrCode is the reason a text is not a code. No error that wraps it holds any
// part of the text.
var ErrCode = errors.New("not a code")

// Code is a voucher's code or a wallet's recovery code: whoever knows it has
// the money. Codes are written in Crockford's base32
// (https://www.crockford.com/base32.html) in groups of four, and end in two
// check symbols that find typing errors before anything is looked up. Codes
// are comparable; the zero Code is none.
type Code struct {
	symbols string // canonical: of codeAlphabet, without separators
}

const (
	codeAlphabet  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeGroup     = 4
	checkSymbols  = 2
	maxCodeLength = 64 // bytes of text; room for generous separators
)

// codeKind is a kind of code; kinds differ in length and are told apart by it.
type codeKind struct {
	name   string
	random int // random symbols of five bits
}

var (
	voucherCode  = codeKind{"voucher code", 14}  // 70 bits
	recoveryCode = codeKind{"recovery code", 18} // 90 bits
)

func (k codeKind) length() int { return k.random + checkSymbols }

// NewVoucherCode draws a voucher's code of 16 symbols, 70 bits of them from
// random.
func NewVoucherCode(random io.Reader) (Code, error) { return voucherCode.draw(random) }

// NewRecoveryCode draws a wallet's recovery code of 20 symbols, 90 bits of
// them from random.
func NewRecoveryCode(random io.Reader) (Code, error) { return recoveryCode.draw(random) }

// ParseVoucherCode reads a voucher's code as people type it: in either case,
// with O for 0 and I or L for 1, and with any spaces and hyphens, in at most
// 64 bytes. Everything else is an error that wraps [ErrCode] and says what to
// look for.
func ParseVoucherCode(text string) (Code, error) { return voucherCode.parse(text) }

// ParseRecoveryCode is as [ParseVoucherCode], for a wallet's recovery code.
func ParseRecoveryCode(text string) (Code, error) { return recoveryCode.parse(text) }

// String is the code itself in groups of four, for the person it belongs to:
// "XXXX-XXXX-XXXX-XXXX".
func (c Code) String() string {
	var text strings.Builder
	for i, symbol := range []byte(c.symbols) {
		if i > 0 && i%codeGroup == 0 {
			text.WriteByte('-')
		}
		text.WriteByte(symbol)
	}
	return text.String()
}

// LogValue keeps the code out of logs.
func (c Code) LogValue() slog.Value { return slog.StringValue(redaction) }

// Digest is what a ledger keeps of the code: its tag under key, which should
// be derived for [LabelVoucher] or [LabelRecovery]. The zero Code has the zero
// Digest.
func (c Code) Digest(key Key) Digest {
	if c == (Code{}) {
		return Digest{}
	}
	return Digest(key.Sign([]byte(c.symbols)))
}

func (k codeKind) draw(random io.Reader) (Code, error) {
	values := make([]byte, k.random, k.length())
	if _, err := io.ReadFull(random, values); err != nil {
		return Code{}, fmt.Errorf("new %s: %w", k.name, err)
	}
	for i := range values {
		values[i] %= byte(len(codeAlphabet)) // 32 divides 256, so every symbol is equally likely
	}
	high, low := remainder(values)
	return codeOf(append(values, high, low)), nil
}

func codeOf(values []byte) Code {
	symbols := make([]byte, len(values))
	for i, v := range values {
		symbols[i] = codeAlphabet[v]
	}
	return Code{symbols: string(symbols)}
}

func (k codeKind) parse(text string) (Code, error) {
	values, err := codeValues(text)
	if err != nil {
		return Code{}, err
	}
	if len(values) != k.length() {
		return Code{}, k.wrongLength(len(values))
	}
	high, low := remainder(values[:k.random])
	if values[k.random] != high || values[k.random+1] != low {
		return Code{}, fmt.Errorf("%w: it is mistyped; compare every symbol", ErrCode)
	}
	return codeOf(values), nil
}

func (k codeKind) wrongLength(symbols int) error {
	for _, other := range []codeKind{voucherCode, recoveryCode} {
		if symbols == other.length() {
			return fmt.Errorf("%w: it has the length of a %s, not of a %s", ErrCode, other.name, k.name)
		}
	}
	return fmt.Errorf("%w: %d letters and digits, a %s has %d", ErrCode, symbols, k.name, k.length())
}

// codeValues turns typed text into symbol values, without separators.
func codeValues(text string) ([]byte, error) {
	if len(text) > maxCodeLength {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrCode, maxCodeLength)
	}
	values := make([]byte, 0, maxCodeLength)
	for _, r := range text {
		// Text copied from a page or a PDF has typographic spaces and dashes.
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			continue
		}
		value := strings.IndexRune(codeAlphabet, foldSymbol(r))
		if value < 0 {
			return nil, fmt.Errorf("%w: it has a character that codes do not use; they are letters except U, and digits", ErrCode)
		}
		values = append(values, byte(value))
	}
	return values, nil
}

func foldSymbol(r rune) rune {
	if 'a' <= r && r <= 'z' {
		r -= 'a' - 'A'
	}
	switch r {
	case 'O':
		return '0'
	case 'I', 'L':
		return '1'
	}
	return r
}

// remainder computes the two check symbols of a code: a Reed-Solomon code over
// GF(32), shortened from (31, 29), with the generator (x+a)(x+a²) =
// x² + 6x + 8 for a = x, modulo the primitive polynomial x⁵+x²+1. Its minimum
// distance is 3, so any one or two wrong symbols, and any two that changed
// places, never pass; anything else passes once in 1024.
func remainder(values []byte) (high, low byte) {
	for _, v := range values {
		feedback := v ^ high
		high, low = low^multiply(feedback, 6), multiply(feedback, 8)
	}
	return high, low
}

// multiply is the product in GF(32) modulo x⁵+x²+1.
func multiply(a, b byte) (product byte) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		if a <<= 1; a&32 != 0 {
			a ^= 0b100101
		}
	}
	return product
}
