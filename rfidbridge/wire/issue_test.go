package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The attack: a log that says which cards were made.
func TestACardToIssueDoesNotPrint(t *testing.T) {
	i := Issue{Task: Personalise, Kind: card.KindNTAG424, UID: Hex{0x04, 0xA3, 0x94, 0x93, 0xCC, 0x86, 0x80}, Answer: &Answer{Card: Hex{0xCC, 0x86}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		for _, text := range []string{fmt.Sprintf(verb, i), fmt.Sprintf(verb, &i)} {
			if strings.Contains(strings.ToLower(text), "cc86") || strings.Contains(text, "204 134") || strings.Contains(text, "0xcc") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
}

func FuzzIssue(f *testing.F) {
	for _, text := range []string{
		`{"id":"019a2c3e-5b70-7c1f-8a3d-2f1e0d9c8b7a","task":"personalise","kind":"ntag424","uid":"04a39493cc8680"}`,
		`{"task":"reset","uid":"","answer":{"state":"x","card":"9000"}}`, `{"uid":"0"}`, `{}`, `null`, `[]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var i Issue
		if json.Unmarshal(text, &i) != nil || i.ID == (wallet.OpID{}) {
			return
		}
		again, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		var same Issue
		if err := json.Unmarshal(again, &same); err != nil || same.ID != i.ID || string(same.UID) != string(i.UID) {
			t.Errorf("%s is written as %s, which is another: %v", text, again, err)
		}
	})
}
