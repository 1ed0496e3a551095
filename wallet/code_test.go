package wallet

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// kinds are both kinds of code with their public functions.
var kinds = []struct {
	name   string
	kind   codeKind
	groups int
	parse  func(string) (Code, error)
}{
	{"voucher code", voucherCode, 4, ParseVoucherCode},
	{"recovery code", recoveryCode, 5, ParseRecoveryCode},
}

func TestACodeIsWrittenInGroupsOfFourAndReadsBack(t *testing.T) {
	for _, k := range kinds {
		seen := map[Code]bool{}
		for seed := range byte(200) {
			code := must(k.kind.draw(seeded(seed)))(t)
			groups := strings.Split(code.String(), "-")
			if len(groups) != k.groups {
				t.Fatalf("%s %s has %d groups, want %d", k.name, code, len(groups), k.groups)
			}
			for _, group := range groups {
				if len(group) != 4 || strings.Trim(group, codeAlphabet) != "" {
					t.Fatalf("%s %s has the group %q", k.name, code, group)
				}
			}
			if again := must(k.parse(code.String()))(t); again != code {
				t.Fatalf("%s %s reads back as %s", k.name, code, again)
			}
			if seen[code] {
				t.Fatalf("%s %s was drawn twice", k.name, code)
			}
			seen[code] = true
		}
	}
}

func TestACodeUsesEverySymbolEquallyOften(t *testing.T) {
	var every [256]byte
	for i := range every {
		every[i] = byte(i)
	}
	count := map[byte]int{}
	for _, symbol := range every {
		code := must(voucherCode.draw(strings.NewReader(strings.Repeat(string([]byte{symbol}), 14))))(t)
		count[code.symbols[0]]++
	}
	for _, symbol := range []byte(codeAlphabet) {
		if count[symbol] != 8 {
			t.Errorf("%d of 256 bytes give %c, want 8", count[symbol], symbol)
		}
	}
}

// The code is linear: an error passes in one code exactly if it passes in
// every code, so that one code of each kind proves it for all.
func TestTypingErrorsAreFoundBeforeAnyLookUp(t *testing.T) {
	for _, k := range kinds {
		code := must(k.kind.draw(seeded(1)))(t).symbols
		if passed := passingSubstitutions(k.parse, code); passed != 0 {
			t.Errorf("%s: %d single or double substitutions pass", k.name, passed)
		}
		for i := range code {
			for j := range i {
				swapped := []byte(code)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				if _, err := k.parse(string(swapped)); err == nil && string(swapped) != code {
					t.Errorf("%s: symbols %d and %d may change places", k.name, j, i)
				}
			}
		}
	}
}

// passingSubstitutions tries every other symbol at every position, and at
// every pair of positions.
func passingSubstitutions(parse func(string) (Code, error), code string) (passed int) {
	for i := range code {
		for j := range i + 1 { // j == i is the single substitution
			for _, a := range []byte(codeAlphabet) {
				for _, b := range []byte(codeAlphabet) {
					typed := []byte(code)
					typed[j], typed[i] = b, a
					if typed[i] == code[i] || j < i && typed[j] == code[j] {
						continue
					}
					if _, err := parse(string(typed)); err == nil {
						passed++
					}
				}
			}
		}
	}
	return passed
}

// The oracle is the definition: the code as a polynomial over GF(32) is zero
// at a and at a², computed with logarithms instead of a shift register.
func TestCheckSymbolsAreAReedSolomonCode(t *testing.T) {
	var power [31]int
	log := map[int]int{}
	for i, x := 0, 1; i < 31; i++ {
		power[i], log[x] = x, i
		if x <<= 1; x >= 32 {
			x ^= 0b100101
		}
	}
	if len(log) != 31 {
		t.Fatalf("x generates %d elements of GF(32), want 31", len(log))
	}
	for _, k := range kinds {
		code := must(k.kind.draw(seeded(9)))(t).symbols
		for root := 1; root <= 2; root++ {
			sum := 0
			for i, symbol := range []byte(code) {
				if value := strings.IndexByte(codeAlphabet, symbol); value > 0 {
					sum ^= power[(log[value]+root*(len(code)-1-i))%31]
				}
			}
			if sum != 0 {
				t.Errorf("%s %s is %d at a^%d, want 0", k.name, code, sum, root)
			}
		}
	}
}

func TestACodeMayBeTypedAsPeopleType(t *testing.T) {
	// Drawn so that it has a 0, a 1 and letters on each side of I, L, O and U.
	drawn := strings.NewReader("\x00\x01\x0a\x11\x12\x1f\x00\x01\x16\x02\x03\x1a\x1b\x06")
	code := must(NewVoucherCode(drawn))(t)
	plain := code.symbols
	for name, text := range map[string]string{
		"grouped":             code.String(),
		"without hyphens":     plain,
		"in lower case":       strings.ToLower(code.String()),
		"O for 0":             strings.ReplaceAll(plain, "0", "O"),
		"o for 0":             strings.ReplaceAll(plain, "0", "o"),
		"I for 1":             strings.ReplaceAll(plain, "1", "I"),
		"i for 1":             strings.ReplaceAll(plain, "1", "i"),
		"L for 1":             strings.ReplaceAll(plain, "1", "L"),
		"l for 1":             strings.ReplaceAll(plain, "1", "l"),
		"spaces":              " " + strings.Join(strings.Split(plain, ""), " ") + "\t\r\n",
		"typographic hyphens": strings.NewReplacer("-", "\u2011").Replace(code.String()),
		"en dashes":           strings.NewReplacer("-", " \u2013 ").Replace(code.String()),
		"hard spaces":         strings.NewReplacer("-", "\u00a0").Replace(code.String()),
	} {
		if got, err := ParseVoucherCode(text); err != nil || got != code {
			t.Errorf("%s: %q reads as %s, %v; want %s", name, text, got, err, code)
		}
	}
}

func TestWhatIsNotACodeIsRefusedWithoutBeingRepeated(t *testing.T) {
	voucher := must(NewVoucherCode(seeded(1)))(t).String()
	recovery := must(NewRecoveryCode(seeded(1)))(t).String()
	for name, c := range map[string]struct {
		parse      func(string) (Code, error)
		text, says string
	}{
		"nothing":                 {ParseVoucherCode, "", "0 letters and digits"},
		"hyphens":                 {ParseVoucherCode, "---", "0 letters and digits"},
		"a symbol short":          {ParseVoucherCode, voucher[:18], "15 letters and digits"},
		"a symbol long":           {ParseVoucherCode, voucher + "0", "17 letters and digits"},
		"a recovery code":         {ParseVoucherCode, recovery, "the length of a recovery code"},
		"a voucher code":          {ParseRecoveryCode, voucher, "the length of a voucher code"},
		"the letter U":            {ParseVoucherCode, "U" + voucher[1:], "except U"},
		"a full-width digit":      {ParseVoucherCode, "\uff11" + voucher[1:], "except U"},
		"a letter that folds":     {ParseVoucherCode, "\u017f" + voucher[1:], "except U"},
		"a NUL":                   {ParseVoucherCode, voucher + "\x00", "except U"},
		"no UTF-8":                {ParseVoucherCode, voucher + "\xff", "except U"},
		"a mistyped symbol":       {ParseVoucherCode, otherSymbol(voucher), "mistyped"},
		"too many bytes":          {ParseVoucherCode, voucher + strings.Repeat(" ", 46), "longer than 64"},
		"very many bytes":         {ParseRecoveryCode, strings.Repeat(recovery, 1<<16), "longer than 64"},
		"an address with a code":  {ParseVoucherCode, "https://x.example/#" + voucher, "except U"},
		"twice the code":          {ParseVoucherCode, voucher + voucher, "32 letters and digits"},
		"another language's zero": {ParseVoucherCode, strings.Repeat("\u0660", 16), "except U"},
	} {
		code, err := c.parse(c.text)
		if !errors.Is(err, ErrCode) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got error %v, want one of ErrCode that says %q", name, err, c.says)
			continue
		}
		if code != (Code{}) {
			t.Errorf("%s: a code came with the error", name)
		}
		if holdsPart(err.Error(), c.text) {
			t.Errorf("%s: the error repeats the code: %v", name, err)
		}
	}
}

func otherSymbol(code string) string {
	if code[0] == 'X' {
		return "Y" + code[1:]
	}
	return "X" + code[1:]
}

func TestALedgerKeepsOnlyTheDigestOfACode(t *testing.T) {
	secret := testSecret(t)
	key, code := secret.Derive(LabelVoucher), must(NewVoucherCode(seeded(1)))(t)
	mac := hmac.New(sha256.New, key.key())
	mac.Write([]byte(strings.ReplaceAll(code.String(), "-", "")))
	if got := code.Digest(key); got != Digest(mac.Sum(nil)) {
		t.Errorf("digest %x is not the HMAC of the symbols", got)
	}
	typed := must(ParseVoucherCode(strings.ToLower(code.symbols)))(t)
	if typed.Digest(key) != code.Digest(key) {
		t.Error("the same code in another spelling has another digest")
	}
	if code.Digest(secret.Derive(LabelRecovery)) == code.Digest(key) {
		t.Error("vouchers and recovery codes have the same digests")
	}
	if (Code{}).Digest(key) != (Digest{}) {
		t.Error("no code has a digest")
	}
}

func TestLogsDoNotHoldACode(t *testing.T) {
	code := must(NewVoucherCode(seeded(1)))(t)
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("redeem", "code", code)
	if holdsPart(logged.String(), code.String()) || !strings.Contains(logged.String(), redaction) {
		t.Errorf("logged %s", logged.String())
	}
}

func TestASourceThatEndsEarlyMakesNoCode(t *testing.T) {
	for _, k := range kinds {
		code, err := k.kind.draw(strings.NewReader("0123456789012"))
		if err == nil || code != (Code{}) {
			t.Errorf("%s: got %s, %v", k.name, code, err)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add(must(NewVoucherCode(seeded(1)))(f).String())
	f.Add(must(NewRecoveryCode(seeded(1)))(f).String())
	f.Add("oOiIlL-\u2011\u00a0")
	f.Add("\xff\x00U")
	f.Fuzz(func(t *testing.T, text string) {
		voucher, voucherErr := ParseVoucherCode(text)
		recovery, recoveryErr := ParseRecoveryCode(text)
		if voucherErr == nil && recoveryErr == nil {
			t.Fatalf("%q is both kinds of code", text)
		}
		for _, err := range []error{voucherErr, recoveryErr} {
			if err != nil && (!errors.Is(err, ErrCode) || holdsPart(err.Error(), text) && len(text) > 16) {
				t.Fatalf("error %v", err)
			}
		}
		if voucherErr == nil {
			assertCanonical(t, voucher, ParseVoucherCode, 16)
		}
		if recoveryErr == nil {
			assertCanonical(t, recovery, ParseRecoveryCode, 20)
		}
	})
}

func assertCanonical(t *testing.T, code Code, parse func(string) (Code, error), length int) {
	t.Helper()
	if len(code.symbols) != length || strings.Trim(code.symbols, codeAlphabet) != "" {
		t.Fatalf("%s is not canonical", code)
	}
	if again := must(parse(fmt.Sprint(code)))(t); again != code {
		t.Fatalf("%s reads back as %s", code, again)
	}
}
