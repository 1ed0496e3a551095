package cursor

import (
	"errors"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var secret = []byte("sixteen of them!")

func TestACursorComesBackAsItWasGivenOut(t *testing.T) {
	for _, place := range []string{"", "a", "card:\xff", strings.Repeat("x", 128)} {
		if got, err := Open(secret, "registers", Seal(secret, "registers", []byte(place))); err != nil || string(got) != place {
			t.Errorf("%q comes back as %q, %v", place, got, err)
		}
	}
	for _, place := range []uint64{0, 1, 1<<64 - 1} {
		if got, err := OpenNumber(secret, "wallets", SealNumber(secret, "wallets", place), 7); err != nil || got != place {
			t.Errorf("%d comes back as %d, %v", place, got, err)
		}
	}
	if start, err := OpenNumber(secret, "wallets", "", 7); err != nil || start != 7 {
		t.Errorf("no cursor begins at %d, %v", start, err)
	}
}

// The attack: a cursor that points where somebody wants it to.
func TestACursorThatWasNotGivenOutIsRefused(t *testing.T) {
	good := SealNumber(secret, "entries of a", 12)
	for name, forged := range map[string]struct{ secret, listing, cursor string }{
		"another listing":                {string(secret), "entries of b", good},
		"a listing that ends elsewhere":  {string(secret), "entries of ", Seal(secret, "entries of a", []byte("b"))},
		"another ledger":                 {"seventeen of them", "entries of a", good},
		"a changed place":                {string(secret), "entries of a", good[:len(good)-2] + "AA"},
		"a cut one":                      {string(secret), "entries of a", good[:len(good)-4]},
		"a tag alone":                    {string(secret), "entries of a", good[:16]},
		"nothing":                        {string(secret), "entries of a", " "},
		"a second way to write the same": {string(secret), "entries of a", good[:len(good)-1] + "x"},
	} {
		if _, err := Open([]byte(forged.secret), forged.listing, forged.cursor); !errors.Is(err, wallet.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
