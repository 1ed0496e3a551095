//go:build root && linux

package caddymodule

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
)

// takesBankCards is what a kiosk's configuration says where it takes the cards of a scheme.
func takesBankCards(t *testing.T, s *virtual.BankScheme) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"key": strings.Repeat("k", 32),
		"authorities": fmt.Sprintf(`[{"rid":"%x","index":"%02x","modulus":"%x","exponent":"%x","hash":"%x"}]`,
			s.RID, s.Index, s.Authority.N, virtual.BankExponent, s.Hash()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf(`"emv":{"accept_pci_scope":true,"authorities":%q,"key_file":%q}`, filepath.Join(dir, "authorities"), filepath.Join(dir, "key"))
}

var claimShown = regexp.MustCompile(`/\.paywall/cards\?claim=([A-Za-z0-9_-]+)"`)

// From a bank card on a reader of the real pcscd to money of a prepaid wallet that has
// moved: the card is claimed from the kiosk's screen, then the phone that stands for it
// pays, and one that signs wrongly does not.
func TestABankCardOnARealReaderOpensTheGate(t *testing.T) {
	address := pcsctest.StartReal(t)
	scheme, err := virtual.NewBankScheme(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := startSiteWith(t, strings.Replace(withKiosks, "limit uid", "limit emv 1 3\n\t\tlimit uid", 1), magazine)
	m := s.machine("5.00")
	b, stop := s.startBridge(`{"driver":"pcsc","name":"Virtual*"}`, takesBankCards(t, scheme))
	defer stop()
	b.shows("0.10")
	one := virtual.BankCardOptions{Account: "V001A1B2C3D4E5F6G7H8I9J0K1L2M"}
	var claim []string
	layReal(t, address, virtual.NewBankCard(scheme, one), func() bool {
		claim = claimShown.FindStringSubmatch(b.shows("Nobody’s card yet"))
		return claim != nil
	})
	m.post("/.paywall/cards/add", map[string]any{"claim": claim[1]})
	one.Number, one.Proof = "5413339000001513", virtual.CombinedProof
	layReal(t, address, virtual.NewBankCard(scheme, one), func() bool {
		return b.openings() == 1 && strings.Contains(s.operator("kiosk", "list", "--taps"), "captured")
	})
	m.wantsBalance("4.90")
	one.WrongSignature = true
	layReal(t, address, virtual.NewBankCard(scheme, one), func() bool {
		return b.shows("This card is not genuine") != ""
	})
	if n := b.openings(); n != 1 {
		t.Errorf("it is opened %d times", n)
	}
	m.wantsBalance("4.90")
}
