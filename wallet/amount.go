package wallet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Amount is a sum of money in millionths of the currency unit: 0.10 is
// 100 000. The zero value is nothing. Amounts that enter the ledger are
// between 1 and [MaxAmount]; balances of funding accounts are negative.
type Amount int64

const (
	// Unit is one whole unit of the currency.
	Unit Amount = 1_000_000

	// MaxAmount is the largest amount and the largest balance, about nine
	// billion units. It is 2^53-1, the largest integer that a double holds
	// exactly, because a Redis script counts in doubles.
	MaxAmount Amount = 1<<53 - 1

	amountScale     = 6  // decimal places of a millionth
	maxAmountLength = 24 // characters; longer input is not a price
)

// ErrAmount is the reason a text is not an amount. Errors of [ParseAmount]
// wrap it and say what to change.
var ErrAmount = errors.New("not an amount of money")

// ParseAmount reads a decimal amount above zero such as "0.10", "5" or
// "0.000001", in at most 24 characters. Signs, exponents, separators other than
// one point, anything finer than a millionth and anything above [MaxAmount] are
// errors that wrap [ErrAmount]; nothing is ever rounded.
func ParseAmount(s string) (Amount, error) {
	if len(s) > maxAmountLength {
		return 0, fmt.Errorf("%w: longer than %d characters", ErrAmount, maxAmountLength)
	}
	if !plainDecimal(s) {
		return 0, fmt.Errorf("%w: %q; write digits with at most one point, such as 0.10", ErrAmount, s)
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", ErrAmount, s)
	}
	millionths := d.Shift(amountScale)
	switch {
	case !millionths.IsInteger():
		return 0, fmt.Errorf("%w: %q is finer than a millionth", ErrAmount, s)
	case !millionths.IsPositive():
		return 0, fmt.Errorf("%w: %q is not above zero", ErrAmount, s)
	case millionths.GreaterThan(decimal.NewFromInt(int64(MaxAmount))):
		return 0, fmt.Errorf("%w: %q is above %s", ErrAmount, s, MaxAmount)
	}
	return Amount(millionths.IntPart()), nil
}

// plainDecimal reports whether s is digits around at most one point, with a
// digit on each side of it. decimal would also take signs and exponents.
func plainDecimal(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	return digits(whole) && (!point || digits(fraction))
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Format writes a as a plain decimal with at least places decimal places and
// no more than it needs beyond them: Format(2) of 0.1 is "0.10", of 0.0005 is
// "0.0005". It stands on every paid answer, where decimal would cost eight
// allocations.
func (a Amount) Format(places int) string {
	var room, rest [32]byte
	text := room[:0]
	size := uint64(a)
	if a < 0 {
		text, size = append(text, '-'), -size
	}
	text = strconv.AppendUint(text, size/uint64(Unit), 10)
	fraction := strconv.AppendUint(rest[:0], size%uint64(Unit)+uint64(Unit), 10)[1:] // the leading 1 keeps its zeros
	needed := len(fraction)
	for needed > places && fraction[needed-1] == '0' {
		needed--
	}
	if needed > 0 || places > 0 {
		text = append(append(text, '.'), fraction[:needed]...)
	}
	for range places - amountScale {
		text = append(text, '0')
	}
	return string(text)
}

// String writes a with at least two decimal places, for logs and errors.
// Where the currency is known, [Currency.Format] is the right form.
func (a Amount) String() string { return a.Format(2) }
