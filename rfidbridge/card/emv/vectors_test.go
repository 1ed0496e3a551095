package emv

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// set is published data of a scheme's test card: names, and behind each its bytes in
// hexadecimal on lines that begin with a tab.
func set(t *testing.T, number int) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("testdata/set%d.txt", number))
	if err != nil {
		t.Fatal(err)
	}
	found, name := make(map[string][]byte), ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if digits, isData := strings.CutPrefix(line, "\t"); isData {
			found[name] = append(found[name], b(digits)...)
		} else {
			name = line
		}
	}
	return found
}

func b(text string) []byte {
	got, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return got
}

var whenValid = time.Date(2022, time.June, 1, 0, 0, 0, 0, time.UTC)

// published opens a set's chain. The sets do not have the static data that the card's
// certificate vouches for besides, so that its hash is left out here, and here alone.
func published(t *testing.T, number int, rid string, index byte, pan string) (map[string][]byte, *Card) {
	t.Helper()
	data := set(t, number)
	authority, err := NewAuthority([5]byte(b(rid)), index, data["CA modulus"], []byte{0x03}, data["CA hash"])
	if err != nil {
		t.Fatal(err)
	}
	exponent := []byte{0x03}
	content, err := authority.key.recover(data["issuer certificate"], formatIssuer, nil, exponent)
	if err != nil {
		t.Fatalf("the issuer's certificate: %v", err)
	}
	if !isPrefix(content[1:5], b(pan)) {
		t.Errorf("the issuer's identifier is %X", content[1:5])
	}
	issuer, err := certified(content, issuerHead, nil, exponent, whenValid)
	if err != nil {
		t.Fatalf("the issuer's key: %v", err)
	}
	content, _, err = issuer.open(data["card certificate"], formatCard)
	if err != nil {
		t.Fatalf("the card's certificate: %v", err)
	}
	if !isNumber(content[1:11], b(pan)) {
		t.Errorf("the card's number is another")
	}
	key, err := certified(content, cardHead, data["card key remainder"], exponent, whenValid)
	if err != nil {
		t.Fatalf("the card's key: %v", err)
	}
	return data, &Card{key}
}

// The test keys of a scheme with dynamic data authentication.
func TestTheFirstPublishedCardSigns(t *testing.T) {
	data, card := published(t, 1, "A000000003", 0x94, "4761739001010119")
	signed := data["signed dynamic data"]
	got, err := card.Dynamic(signed, b("7FBC4049"))
	if err != nil || !bytes.Equal(got, b("0200AE")) {
		t.Errorf("the card has said %X, %v", got, err)
	}
	if _, err := card.Dynamic(signed, b("7FBC4048")); !errors.Is(err, ErrForged) {
		t.Errorf("the signature of another challenge: %v", err)
	}
	for i := range signed {
		forged := bytes.Clone(signed)
		forged[i] ^= 1
		if _, err := card.Dynamic(forged, b("7FBC4049")); !errors.Is(err, ErrForged) {
			t.Fatalf("with byte %d changed: %v", i, err)
		}
	}
}

// The test keys of another, with combined data authentication.
func TestTheSecondPublishedCardSigns(t *testing.T) {
	data, card := published(t, 2, "A000000004", 0xF1, "5413330089020011")
	got, err := card.Dynamic(data["signed dynamic data"], b("8B55633B"))
	if want := b("08 537EB5E03CC433C8 00 55B6408DBC985131 A04620C52455EA8F2370647AF36748A2CA4AA9F6"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the card has said %X, %v", got, err)
	}
	sum := b("A04620C52455EA8F2370647AF36748A2CA4AA9F6") // of what both have said, which is not published
	if err := agrees(got, b("00"), sum); err != nil {
		t.Errorf("what it has said beside its cryptogram: %v", err)
	}
	for what, err := range map[string]error{
		"another kind of cryptogram": agrees(got, b("80"), sum), "no kind": agrees(got, nil, sum), "nothing": agrees(nil, b("00"), sum),
		"something else said": agrees(got, b("00"), append(sum[1:], 0)), "less said": agrees(got[:len(got)-1], b("00"), sum),
	} {
		if !errors.Is(err, ErrForged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAnAuthorityIsWhatItsSchemeHasPublished(t *testing.T) {
	data := set(t, 1)
	rid, modulus, hash := [5]byte(b("A000000003")), data["CA modulus"], data["CA hash"]
	for what, make := range map[string]func() (*Authority, error){
		"another exponent": func() (*Authority, error) { return NewAuthority(rid, 0x94, modulus, b("010001"), hash) },
		"another index":    func() (*Authority, error) { return NewAuthority(rid, 0x95, modulus, []byte{3}, hash) },
		"another scheme": func() (*Authority, error) {
			return NewAuthority([5]byte(b("A000000004")), 0x94, modulus, []byte{3}, hash)
		},
		"no modulus": func() (*Authority, error) { return NewAuthority(rid, 0x94, nil, []byte{3}, hash) },
		"no hash":    func() (*Authority, error) { return NewAuthority(rid, 0x94, modulus, []byte{3}, nil) },
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s is an authority", what)
		}
	}
}
