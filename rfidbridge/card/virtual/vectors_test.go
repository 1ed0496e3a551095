package virtual

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// b is bytes in hexadecimal; spaces are for the eye.
func b(text string) []byte {
	got, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return got
}

func key(text string) card.Key { return card.Key(b(text)) }

func wants(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, b(want)) {
		t.Errorf("%s is %X, want %s", what, got, want)
	}
}

// AN12196, tables 14, 20 and 24: what the chip of NXP answers.
func TestTheChannelIsThatOfNXP(t *testing.T) {
	for _, v := range []struct{ rndA, rndB, enc, mac string }{
		{"13C5DB8A5930439FC3DEF9A4C675360F", "B9E2FC789B64BF237CCCAA20EC7E6E48", "1309C877509E5A215007FF0ED19CA564", "4C6626F5E72EA694202139295C7A7FC7"},
		{"B98F4C50CF1C2E084FD150E33992B048", "91517975190DCEA6104948EFA3085C1B", "7A93D6571E4B180FCA6AC90C9A7488D4", "FC4AF159B62E549B5812394CAB1918CC"},
		{"60BE759EDA560250AC57CDDC11743CF6", "6924E8D09722659A2E7DEC68E66312B8", "4CF3CB41A22583A61E89B158D252FC53", "5529860B2FC5FB6154B7F28361D30BF9"},
	} {
		c := newChannel(0, card.Key{}, b(v.rndA), b(v.rndB))
		wants(t, "the key to encrypt", c.enc[:], v.enc)
		wants(t, "the key to sign", c.mac[:], v.mac)
	}
}

// AN12196, table 24: the chip answers the reader's token of the second authentication.
func TestTheSecondAuthenticationIsThatOfNXP(t *testing.T) {
	l := newLock(make([]card.Key, 5), 0)
	l.channel = &channel{transaction: [4]byte(b("7614281A")), counter: 2}
	l.asked = &asked{rndB: [16]byte(b("6924E8D09722659A2E7DEC68E66312B8"))}
	got := l.answer(b("BE7D45753F2CAB85F34BC60CE58B940763FE969658A532DF6D95EA2773F6E991"))
	wants(t, "the answer", got, "B888349C24B315EAB5B589E279C8263E 9100")
	if l.channel == nil || l.channel.transaction != [4]byte(b("7614281A")) || l.channel.counter != 2 {
		t.Errorf("the session does not go on: %+v", l.channel)
	}
}

// AN12196, table 8: a command with a MAC, and the chip's answer.
func TestTheChannelSignsAsThatOfNXP(t *testing.T) {
	c := &channel{mac: key("8248134A386E86EB7FAF54A52E536CB6"), transaction: [4]byte(b("7A21085E"))}
	head, body, s := c.take(0xF5, b("02 6597A457C8CD442C"), 1, false)
	if s != statusDone || len(body) != 0 {
		t.Fatalf("status %02X, body %X", byte(s), body)
	}
	wants(t, "the header", head, "02")
	const data = "0040EEEE000100D1FE001F00004400004400002000006A0000"
	wants(t, "the answer", c.give(b(data), false), data+"2A474282E7A47986 9100")
}

// AN12196, table 29: GetCardUID.
func TestTheUIDIsGivenAsByNXP(t *testing.T) {
	n := NewNTAG(card.UID(b("04958CAA5C5E80")), [5]card.Key{}, "")
	n.application = true
	n.lock.channel = &channel{
		mac: key("379D32130CE61705DD5FD8C36B95D764"), enc: key("2B4D963C014DC36F24F69A50A394F875"), transaction: [4]byte(b("DF055522")),
	}
	wants(t, "the answer", n.Transmit(b("90510000088E2C155ADDA99BE300")), "70756055688505B52A5E26E59E329CD6 595F672298EA41B7 9100")
}
