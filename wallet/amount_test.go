package wallet

import (
	"errors"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAnAmountIsReadExactly(t *testing.T) {
	for text, want := range map[string]Amount{
		"0.10": Unit / 10, "0.1": Unit / 10, "5": 5 * Unit, "5.0": 5 * Unit, "0.000001": 1, "0.0005": 500,
		"000.10": Unit / 10, "0.10000000000000": Unit / 10, "19.99": 19_990_000,
		"9007199254.740991": MaxAmount, "00000009007199254.740991": MaxAmount,
	} {
		if got, err := ParseAmount(text); err != nil || got != want {
			t.Errorf("%q reads as %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestWhatIsNoAmountIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"nothing":              {"", "digits"},
		"zero":                 {"0", "not above zero"},
		"zero in long":         {"0.000000", "not above zero"},
		"a negative amount":    {"-0.10", "digits"},
		"a plus sign":          {"+0.10", "digits"},
		"an exponent":          {"1e3", "digits"},
		"a huge exponent":      {"1e999999999", "digits"},
		"a comma":              {"0,10", "digits"},
		"thousands":            {"1,000.00", "digits"},
		"two points":           {"1.2.3", "digits"},
		"no whole part":        {".10", "digits"},
		"no fraction":          {"1.", "digits"},
		"only a point":         {".", "digits"},
		"a space":              {" 0.10", "digits"},
		"a currency":           {"0.10 USD", "digits"},
		"hexadecimal":          {"0x10", "digits"},
		"an underscore":        {"1_000", "digits"},
		"not a number":         {"NaN", "digits"},
		"without end":          {"Inf", "digits"},
		"Arabic digits":        {"\u0661\u0662", "digits"},
		"a NUL":                {"1\x00", "digits"},
		"finer than allowed":   {"0.0000001", "finer than a millionth"},
		"a millionth too fine": {"1.0000005", "finer than a millionth"},
		"one above the most":   {"9007199254.740992", "above 9007199254.740991"},
		"far above the most":   {"999999999999999999999999", "above 9007199254.740991"},
		"too long":             {strings.Repeat("0", 24) + "1", "longer than 24"},
		"very long":            {strings.Repeat("9", 1<<20), "longer than 24"},
	} {
		got, err := ParseAmount(c.text)
		if !errors.Is(err, ErrAmount) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got error %v, want one of ErrAmount that says %q", name, err, c.says)
		}
		if got != 0 {
			t.Errorf("%s: %s came with the error", name, got)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

func TestAnAmountIsWrittenWithAtLeastTheCurrencysPlaces(t *testing.T) {
	for _, c := range []struct {
		amount Amount
		places int
		want   string
	}{
		{0, 0, "0"}, {0, 2, "0.00"}, {Unit / 10, 2, "0.10"}, {500, 2, "0.0005"}, {1, 0, "0.000001"},
		{5 * Unit, 0, "5"}, {5 * Unit, 2, "5.00"}, {5 * Unit, 3, "5.000"}, {5_500_000, 0, "5.5"},
		{12_345_678, 2, "12.345678"}, {MaxAmount, 2, "9007199254.740991"}, {-Unit / 10, 2, "-0.10"},
		{-1, 2, "-0.000001"}, {math.MinInt64, 2, "-9223372036854.775808"}, {math.MaxInt64, 0, "9223372036854.775807"},
	} {
		if got := c.amount.Format(c.places); got != c.want {
			t.Errorf("%d millionths with %d places: %q, want %q", int64(c.amount), c.places, got, c.want)
		}
	}
	if got := Unit.String(); got != "1.00" {
		t.Errorf("String of a unit is %q", got)
	}
}

// The oracle is a fraction of big integers; the text must be equal to it, and
// the shortest that has the places asked for.
func TestEveryAmountIsWrittenExactlyAndNoLongerThanNeeded(t *testing.T) {
	plain := regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	rapid.Check(t, func(t *rapid.T) {
		amount := Amount(rapid.Int64().Draw(t, "amount"))
		places := rapid.IntRange(0, 8).Draw(t, "places")
		text := amount.Format(places)
		value, ok := new(big.Rat).SetString(text)
		if !ok || !plain.MatchString(text) || value.Cmp(big.NewRat(int64(amount), 1_000_000)) != 0 {
			t.Fatalf("%d millionths are written %q", int64(amount), text)
		}
		_, fraction, _ := strings.Cut(text, ".")
		if len(fraction) < places || len(fraction) > places && strings.HasSuffix(fraction, "0") {
			t.Fatalf("%d millionths with %d places are written %q", int64(amount), places, text)
		}
		if 0 < amount && amount <= MaxAmount && places <= 6 {
			if again, err := ParseAmount(text); err != nil || again != amount {
				t.Fatalf("%q reads back as %d, %v; want %d", text, again, err, amount)
			}
		}
	})
}

// exactAmount is the oracle: digits, at most one point between digits, at most
// 24 characters, a whole number of millionths from 1 to MaxAmount.
func exactAmount(text string) (Amount, bool) {
	if len(text) > 24 || !regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`).MatchString(text) {
		return 0, false
	}
	value, _ := new(big.Rat).SetString(text)
	value.Mul(value, big.NewRat(1_000_000, 1))
	most := big.NewRat(1<<53-1, 1)
	if !value.IsInt() || value.Sign() <= 0 || value.Cmp(most) > 0 {
		return 0, false
	}
	return Amount(value.Num().Int64()), true
}

func FuzzParseAmount(f *testing.F) {
	for _, text := range []string{
		"0.10", "5", "0.000001", "0.0000010", "9007199254.740991", "9007199254.740992", "1e9", "-1", "+1", ".5", "5.",
		"", "0", "0x1p-2", "1_0", "\u0661", "1/2", " 1", strings.Repeat("9", 25), "18446744073709551616.000001",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseAmount(text)
		want, ok := exactAmount(text)
		if got != want || (err == nil) != ok {
			t.Fatalf("%q reads as %d, %v; want %d, %t", text, got, err, want, ok)
		}
		if err != nil {
			if !errors.Is(err, ErrAmount) {
				t.Fatalf("error %v does not wrap ErrAmount", err)
			}
			return
		}
		written := got.String()
		if again, err := ParseAmount(written); err != nil || again != got || again.String() != written {
			t.Fatalf("%q is written %q, which reads as %d, %v", text, written, again, err)
		}
	})
}
