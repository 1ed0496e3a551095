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

// AN12196, table 18: ChangeFileSettings.
func TestTheFileIsSetAsByNXP(t *testing.T) {
	n := FactoryNTAG(number, [card.SignatureSize]byte{})
	n.application, n.ndef.rights = true, [2]byte{0x00, 0xE0}
	n.lock.channel = &channel{
		enc: key("1309C877509E5A215007FF0ED19CA564"), mac: key("4C6626F5E72EA694202139295C7A7FC7"), transaction: [4]byte(b("9D00C4DF")), counter: 1,
	}
	got := n.Transmit(b("905F0000190261B6D97903566E84C3AE5274467E89EAD799B7C1A0EF7A0400"))
	wants(t, "the answer", got, "57BFF87B1241E93D 9100")
	want := sunSettings{options: sunOfBoth, meta: 2, file: 1, ask: 1, picc: 0x20, input: 0x43, mac: 0x43}
	if !n.ndef.mirrors || n.ndef.sun != want {
		t.Errorf("the settings are %+v", n.ndef.sun)
	}
}

// AN12196, tables 25 and 26: ChangeKey of another key and of the session's own.
func TestKeysAreChangedAsByNXP(t *testing.T) {
	n := FactoryNTAG(number, [card.SignatureSize]byte{})
	n.application = true
	n.lock.channel = &channel{
		enc: key("4CF3CB41A22583A61E89B158D252FC53"), mac: key("5529860B2FC5FB6154B7F28361D30BF9"), transaction: [4]byte(b("7614281A")), counter: 2,
	}
	got := n.Transmit(b("90C4000029 02 2CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC7 5D0CE20BCD1D06E6 00"))
	wants(t, "the answer", got, "203BB55D1089D587 9100")
	wants(t, "key 2", n.lock.keys[2][:], "F3847D627727ED3BC9C4CC050489B966")
	got = n.Transmit(b("90C4000029 00 C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FD A6610234BDED6432 00"))
	wants(t, "the answer", got, "9100")
	wants(t, "key 0", n.lock.keys[0][:], "5004BF991F408672B1EF00F08F9E8647")
	wants(t, "the versions", n.lock.versions, "0100010000")
	if n.lock.channel != nil {
		t.Error("the session goes on with a key that is gone")
	}
}

// The log of a DESFire EV1 that public implementations test with.
func TestAuthenticateAESIsThatOfNXP(t *testing.T) {
	l := newLock(make([]card.Key, 1), 0)
	l.asked = &asked{chained: true, rndB: [16]byte(b("C05DDD714FD788A6B7B754F3C4D066E8"))}
	wants(t, "the challenge", l.asked.challenge(card.Key{}), "B969FDFE56FD91FC9DE6F6F213B8FD1E")
	got := l.answerAES(b("36AAD7DF6E436BA08D18613830A70D5AD43E3D3F4A8D47541EEE623A934E4774"))
	wants(t, "the answer", got, "800DB680BC146BD121D6578F2D2E2059 9100")
}

// The same log: ChangeKey of the session's own key and of another one.
func TestKeysAreChangedWithinAChainAsByNXP(t *testing.T) {
	d := NewDESFire(number, EV1)
	d.Install([3]byte{0x16, 0xAE, 0x00}, card.Key{}, card.Key{})
	d.selected = "\x16\xAE\x00"
	l := d.applications[d.selected]
	l.chain = &chain{key: key("C2A1E47BD8100044FE6D00A74D7AB17C"), vector: noVector}
	got := d.Transmit(b("90C4000021 01 E7ECCB6BD1CA64BC161A12B1C024F714 30337408C8A87EACAB7A1FF18951FCA3 00"))
	wants(t, "the answer", got, "2128D3CD9C9ACFFF 9100")
	wants(t, "key 1", l.keys[1][:], "00102030405060708090A0B0B0A09080")
	l.chain = &chain{key: key("F44B26F5C05DDD7110772281C4D066E8"), vector: noVector}
	got = d.Transmit(b("90C4000021 00 E9F85E219496C2B58C1090DC3935FAE9 E840CF61B383D9531946256B1F110C10 00"))
	wants(t, "the answer", got, "9100")
	wants(t, "key 0", l.keys[0][:], "00102030405060708090A0B0B0A09080")
	wants(t, "the versions", l.versions, "1010")
	if l.chain != nil {
		t.Error("the session goes on with a key that is gone")
	}
	l.chain = &chain{key: key("C2A1E47BD8100044FE6D00A74D7AB17C"), vector: noVector}
	got = d.Transmit(b("90C4000021 01 E7ECCB6BD1CA64BC161A12B1C024F714 30337408C8A87EACAB7A1FF18951FCA4 00"))
	wants(t, "the answer to what was changed", got, "911E")
}
