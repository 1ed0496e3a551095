package wallet

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// The lengths keep lists of parts apart that have the same bytes in a row.
func TestADigestIsOfPartsAndNotOfTheirBytesInARow(t *testing.T) {
	seen := map[Digest]string{}
	for name, digest := range map[string]Digest{
		"nothing":         digestOf(nil),
		"two nothings":    digestOf(nil, nil),
		"three nothings":  digestOf(nil, nil, nil),
		"abc":             digestOf([]byte("abc")),
		"a, bc":           digestOf([]byte("a"), []byte("bc")),
		"ab, c":           digestOf([]byte("ab"), []byte("c")),
		"abc, nothing":    digestOf([]byte("abc"), nil),
		"nothing, abc":    digestOf(nil, []byte("abc")),
		"a, b, c":         digestOf([]byte("a"), []byte("b"), []byte("c")),
		"c, b, a":         digestOf([]byte("c"), []byte("b"), []byte("a")),
		"a length inside": digestOf([]byte("a\x00\x00\x00\x00\x00\x00\x00\x02bc")),
	} {
		if other, twice := seen[digest]; twice {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[digest] = name
	}
}

// A stored digest must not change with the program.
func TestADigestIsSHA256OfLengthsAndParts(t *testing.T) {
	want := sha256.Sum256(must(hex.DecodeString("0000000000000002" + "6162" + "0000000000000000" + "0000000000000001" + "63"))(t))
	if got := digestOf([]byte("ab"), nil, []byte("c")); got != Digest(want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
