package bridge

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write writes a file that its owner alone may read, and returns where it is.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A kiosk does not begin to read bank cards by accident, and guards what it reads them with.
func TestBankCardsAreTakenOnPurpose(t *testing.T) {
	modulus := strings.Repeat("a5", 128)
	key, err := hex.DecodeString("f00000000101" + modulus + "03")
	if err != nil {
		t.Fatal(err)
	}
	list := fmt.Sprintf(`[{"rid":"f000000001","index":"01","modulus":%q,"exponent":"03","hash":"%x"}]`, modulus, sha1.Sum(key))
	authorities, secret := write(t, "authorities.json", list), write(t, "key", strings.Repeat("k", 32)+"\n")
	config := func(emv string) string {
		return `{"product":"gate","readers":[{"driver":"pcsc"}],"emv":` + emv + `}`
	}
	good := fmt.Sprintf(`"authorities":%q,"key_file":%q`, authorities, secret)
	for _, more := range []string{"", `,"country":"756","currency":"978"`} {
		c, err := load(t, config(`{"accept_pci_scope":true,`+good+more+`}`))
		if err != nil {
			t.Fatal(err)
		}
		if terminal, err := c.EMV.terminal(); err != nil || len(terminal.Authorities) != 1 || len(terminal.Key) != 32 {
			t.Errorf("the terminal has %d authorities, %v", len(terminal.Authorities), err)
		} else if more != "" && (terminal.Country != [2]byte{0x07, 0x56} || terminal.Currency != [2]byte{0x09, 0x78}) {
			t.Errorf("it tells cards %x and %x", terminal.Country, terminal.Currency)
		}
	}
	if c, err := load(t, config("null")); err != nil || c.EMV != nil {
		t.Errorf("without it: %v", err)
	}
	seen, changed := write(t, "seen", strings.Repeat("k", 32)), write(t, "changed", list)
	for path, mode := range map[string]os.FileMode{seen: 0o640, changed: 0o664} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	with := func(authorities, key string) string {
		return fmt.Sprintf(`{"accept_pci_scope":true,"authorities":%q,"key_file":%q}`, authorities, key)
	}
	for emv, want := range map[string]string{
		`{` + good + `}`: "talk to your acquirer",
		`{"accept_pci_scope":false,` + good + `}`:                                            "talk to your acquirer",
		`{"accept_pci_scope":true,` + good + `,"country":"CHE"}`:                             "three digits",
		`{"accept_pci_scope":true,` + good + `,"currency":"97"}`:                             "three digits",
		with(authorities, write(t, "short", strings.Repeat("k", 31))):                        "needs 32",
		with(authorities, "/no"):                                                             "key_file",
		with(authorities, seen):                                                              "chmod 600",
		with("/no", secret):                                                                  "authorities",
		with(changed, secret):                                                                "chmod 600",
		with(write(t, "large", strings.Repeat(" ", 1<<20+1)), secret):                        "bytes",
		with(write(t, "empty", "[]"), secret):                                                "rid, index, modulus",
		with(write(t, "hash", strings.Replace(list, `"hash":"`, `"hash":"00`, 1)), secret):   "authority 1",
		with(write(t, "digits", strings.Replace(list, `"rid":"f0`, `"rid":"xy`, 1)), secret): "authority 1",
		with(write(t, "rid", strings.Replace(list, `"rid":"f0`, `"rid":"`, 1)), secret):      "5 bytes",
	} {
		if _, err := load(t, config(emv)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", emv, err, want)
		}
	}
}
