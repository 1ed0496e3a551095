package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

func cards(t testing.TB) []Card {
	number, err := uid.New([]byte{0x04, 0xA3, 0x94, 0x93, 0xCC, 0x86, 0x80})
	if err != nil {
		t.Fatal(err)
	}
	return []Card{
		{UID: number}, {UID: number, Kind: card.KindDESFire}, {SUN: true, PICC: [16]byte{1, 2, 3}, MAC: [8]byte{4, 5}, Kind: card.KindNTAG424},
		{Bank: true, Token: [32]byte{1, 2, 3}},
	}
}

func TestACardReadsAsItWasWritten(t *testing.T) {
	for _, c := range cards(t) {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var got Card
		if err := json.Unmarshal(text, &got); err != nil || got != c {
			t.Errorf("%s reads as another card: %v", text, err)
		}
	}
}

// The attack: a log that says who was where.
func TestACardDoesNotPrint(t *testing.T) {
	for _, c := range cards(t) {
		tap := Tap{Card: c, Answer: &Answer{Card: Hex{0xCC, 0x86, 0x80}, PIN: "cc86"}}
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
			for _, text := range []string{fmt.Sprintf(verb, c), fmt.Sprintf(verb, tap), fmt.Sprintf(verb, &tap)} {
				if strings.Contains(text, "8680") || strings.Contains(text, "cc86") || strings.Contains(text, "010203") || strings.Contains(text, "1 2 3") {
					t.Errorf("%s prints %s", verb, text)
				}
			}
		}
	}
}

func FuzzCard(f *testing.F) {
	for _, c := range cards(f) {
		text, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{`{}`, `null`, `{"uid":""}`, `{"uid":"04"}`, `{"uid":"04a39493","sun":{}}`, `{"sun":{"picc":"00","cmac":""}}`, `{"token":"00"}`, `{"uid":"04a39493","token":"00"}`, `{"uid":"04a39493","kind":"any"}`, `[]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Card
		if json.Unmarshal(text, &c) != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var same Card
		if err := json.Unmarshal(again, &same); err != nil || same != c {
			t.Errorf("%s is written as %s, which is another card: %v", text, again, err)
		}
	})
}

func TestNamesOfKiosksAndProducts(t *testing.T) {
	for _, good := range []string{"a", "gate-north", "7", strings.Repeat("a", 40)} {
		if !IsName(good) {
			t.Errorf("%q is no name", good)
		}
	}
	for _, bad := range []string{"", "-", "a-", "-a", "A", "a b", "a/b", "ä", "a\n", strings.Repeat("a", 41)} {
		if IsName(bad) {
			t.Errorf("%q is a name", bad)
		}
	}
}
