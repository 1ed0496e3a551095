package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Whatever somebody sends as a token: what verifies was signed by the kiosk for this request.
func FuzzToken(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	r := Request{Kiosk: "lobby", Site: "shop.example", Path: TapPath, Body: []byte("{}"), Sequence: 7}
	good, err := r.Sign(key, now)
	if err != nil {
		f.Fatal(err)
	}
	forged, err := r.Sign(other, now)
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range []string{
		good, forged, good[:len(good)-1], good + "=", "eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".", "", "..", strings.Repeat("a", 2000),
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		issuer, err := Issuer(token)
		if err == nil && !IsName(issuer) {
			t.Errorf("it is of %q", issuer)
		}
		sequence, err := r.Verify(token, key.Public().(ed25519.PublicKey), now)
		if err == nil && (token != good || sequence != r.Sequence) {
			t.Errorf("%q is taken for the kiosk's", token)
		}
	})
}

// Whatever somebody sends as a body: what reads is written as something that reads the same,
// or, without a card or an id, not at all.
func FuzzBodies(f *testing.F) {
	bodies := []any{new(Enrol), new(State), new(Policy), new(Tap), new(Verdict), new(Resolve), new(Resolved), new(Issue), new(Issued), new(Lease), new(Sync), new(Synced), new(Session), new(Leave)}
	for _, text := range []string{
		`{"code":"ABCD","key":"AAAA"}`, `{"version":"1","readers":[{"name":"a","fault":"b"}],"backlog":1}`,
		`{"tap":"019a2c3e-5b70-7c1f-8a3d-2f1e0d9c8b7a","product":"gate","card":{"uid":"04a39493"},"price":"0.10","answer":{"state":"x","card":"9000","pin":"1234"}}`,
		`{"tap":"019a2c3e-5b70-7c1f-8a3d-2f1e0d9c8b7a","outcome":"asked","ask":{"state":"x","command":"905a","pin":true}}`,
		`{"records":[{"record":"e30=","signature":""}]}`, `{"grant":"a"}`, `{"outcome":"captured","amount":"1"}`, `null`, `[]`, `{"tap":"x"}`,
		`{"id":"019a2c3e-5b70-7c1f-8a3d-2f1e0d9c8b7a","task":"reset","kind":"ntag424","uid":"04a1b2c3d4e5f6"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, body := range bodies {
			read := reflect.New(reflect.TypeOf(body).Elem()).Interface()
			if json.Unmarshal(text, read) != nil {
				continue
			}
			once, err := json.Marshal(read)
			if err != nil {
				t.Fatalf("%T: %v", read, err)
			}
			again := reflect.New(reflect.TypeOf(body).Elem()).Interface()
			if json.Unmarshal(once, again) != nil {
				continue
			}
			if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
				t.Errorf("%T is written as %s, and read and written as %s: %v", read, once, twice, err)
			}
		}
	})
}

// Whatever stands at an address: what is read of it is a message of a card.
func FuzzAtAddress(f *testing.F) {
	picc, cmac := strings.Repeat("0A", 16), strings.Repeat("b0", 8)
	for _, address := range []string{
		"https://shop.example/.paywall/tap?picc=" + picc + "&cmac=" + cmac, "/.paywall/tap?p=" + picc + "&c=" + cmac, "lnurlw://a/?p=" + picc + "&c=" + cmac,
		"?picc=" + picc, "?picc=&cmac=", "?picc=" + picc + "&picc=" + picc + "&cmac=" + cmac, "%zz", "", "?p=00&c=00", "?picc=" + picc + "&c=" + cmac,
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		c, is := AtAddress(address)
		if is != c.SUN || !is && c != (Card{}) || c.Bank || len(c.UID.Bytes()) > 0 {
			t.Errorf("%q is %t, %+v", address, is, c)
		}
	})
}
