package card

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// b is bytes in hexadecimal; spaces are for the eye.
func b(text string) []byte {
	got, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return got
}

func key(text string) Key { return Key(b(text)) }

func wants(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, b(want)) {
		t.Errorf("%s is %X, want %s", what, got, strings.ToUpper(want))
	}
}

const zeroKey = "00000000000000000000000000000000"

func TestCMACIsThatOfRFC4493(t *testing.T) {
	k := key("2b7e151628aed2a6abf7158809cf4f3c")
	message := b("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		sum := k.CMAC(message[:n])
		wants(t, fmt.Sprintf("the CMAC of %d bytes", n), sum[:], want)
	}
}

// AN12196, table 2.
func TestSessionKeysOfASUN(t *testing.T) {
	s, file := SUN{UID: UID(b("04C767F2066180")), Counter: 1}, key("5ACE7E50AB65D5D51FD5BF5A16B8205B")
	enc, mac := s.encKey(file), s.macKey(file)
	wants(t, "the key of the file", enc[:], "66DA61797E23DECA5D8ECA13BBADF7A9")
	wants(t, "the key of the MAC", mac[:], "3A3E8110E05311F7A3FCF0D969BF2B48")
}

// AN12196, tables 3 to 6, and the examples of Bolt Cards.
func TestASUNIsOpenedAndVerified(t *testing.T) {
	bolt, boltFile := "0c3b25d92b38ae443229dd59ad34b85d", "b45775776cb224c75bcde7ca3704e933"
	for _, v := range []struct {
		meta, file, picc, input, mac string
		uid                          string
		counter                      uint32
	}{
		{zeroKey, zeroKey, "EF963FF7828658A599F3041510671E88", "", "94EED9EE65337086", "04DE5F1EACC040", 61},
		{zeroKey, zeroKey, "FD91EC264309878BE6345CBE53BADF40", "CEE9A53E3E463EF1F459635736738962&cmac=", "ECC1E7F6C6C73BF6", "04958CAA5C5E80", 8},
		{bolt, boltFile, "4E2E289D945A66BB13377A728884E867", "", "E19CCB1FED8892CE", "04996c6a926980", 3},
		{bolt, boltFile, "00F48C4F8E386DED06BCDC78FA92E2FE", "", "66B4826EA4C155B4", "04996c6a926980", 5},
		{bolt, boltFile, "0DBF3C59B59B0638D60B5842A997D4D1", "", "CC61660C020B4D96", "04996c6a926980", 7},
	} {
		s, err := OpenSUN(key(v.meta), [16]byte(b(v.picc)))
		if err != nil || s.Counter != v.counter {
			t.Errorf("%s: the counter is %d, %v", v.picc, s.Counter, err)
		}
		wants(t, v.picc+": the UID", s.UID[:], v.uid)
		mac := MAC(b(v.mac))
		if err := s.Verify(key(v.file), []byte(v.input), mac); err != nil {
			t.Errorf("%s: %v", v.picc, err)
		}
	}
	s, err := OpenSUN(key(zeroKey), [16]byte(b("FDE4AFA99B5C820A2C1BB0F1C792D0EB")))
	if err != nil || s.Counter != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	data, err := s.OpenFile(key(zeroKey), b("94592FDE69FA06E8E3B6CA686A22842B"))
	if err != nil || string(data) != "xxxxxxxxxxxxxxxx" {
		t.Errorf("the file has %q, %v", data, err)
	}
}

// AN12196, tables 14 and 20: AuthenticateEV2First.
func TestEV2IsThatOfNXP(t *testing.T) {
	a := NewEV2(0, key(zeroKey))
	a.random = bytes.NewReader(b("13C5DB8A5930439FC3DEF9A4C675360F"))
	command, err := a.Ask()
	wants(t, "the first command", command, "9071000002000000")
	if err != nil {
		t.Fatal(err)
	}
	command, err = a.Reply(b("A04C124213C186F22399D33AC2A30215 91AF"))
	wants(t, "the second command", command, "90AF000020 35C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D 00")
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Open(b("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663 9100"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the transaction", s.transaction[:], "9D00C4DF")
	wants(t, "the key to encrypt", s.enc[:], "1309C877509E5A215007FF0ED19CA564")
	wants(t, "the key to sign", s.mac[:], "4C6626F5E72EA694202139295C7A7FC7")
}

// AN12196, table 24: AuthenticateEV2NonFirst.
func TestEV2GoesOnWithAnotherKeyAsThatOfNXP(t *testing.T) {
	before := &Session{transaction: [4]byte(b("7614281A")), counter: 2}
	a := before.Again(0, key(zeroKey))
	a.random = bytes.NewReader(b("60BE759EDA560250AC57CDDC11743CF6"))
	command, err := a.Ask()
	wants(t, "the first command", command, "90770000010000")
	if err != nil {
		t.Fatal(err)
	}
	command, err = a.Reply(b("A6A2B3C572D06C097BB8DB70463E22DC 91AF"))
	wants(t, "the second command", command, "90AF000020 BE7D45753F2CAB85F34BC60CE58B940763FE969658A532DF6D95EA2773F6E991 00")
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Open(b("B888349C24B315EAB5B589E279C8263E 9100"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the key to encrypt", s.enc[:], "4CF3CB41A22583A61E89B158D252FC53")
	wants(t, "the key to sign", s.mac[:], "5529860B2FC5FB6154B7F28361D30BF9")
	if s.transaction != before.transaction || s.counter != before.counter {
		t.Errorf("the session has begun anew: %+v", s)
	}
}

// AN12196, table 8: a command and an answer with a MAC.
func TestACommandIsSignedAsThatOfNXP(t *testing.T) {
	s := &Session{mac: key("8248134A386E86EB7FAF54A52E536CB6"), transaction: [4]byte(b("7A21085E"))}
	command, err := s.Sign(0xF5, []byte{0x02}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the command", command, "90F5000009 02 6597A457C8CD442C 00")
	const data = "0040EEEE000100D1FE001F00004400004400002000006A0000"
	got, err := s.Check(b(data + "2A474282E7A47986 9100"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the answer", got, data)
}

// AN12196, table 29: GetCardUID in full mode.
func TestTheUIDIsReadAsThatOfNXP(t *testing.T) {
	s := &Session{
		mac: key("379D32130CE61705DD5FD8C36B95D764"), enc: key("2B4D963C014DC36F24F69A50A394F875"), transaction: [4]byte(b("DF055522")),
	}
	command, err := s.AskUID()
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the command", command, "90510000088E2C155ADDA99BE300")
	uid, err := s.UID(b("70756055688505B52A5E26E59E329CD6 595F672298EA41B7 9100"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the UID", uid[:], "04958CAA5C5E80")
}

// AN12196, table 18: ChangeFileSettings in full mode.
func TestACommandIsSealedAsThatOfNXP(t *testing.T) {
	s := &Session{
		enc: key("1309C877509E5A215007FF0ED19CA564"), mac: key("4C6626F5E72EA694202139295C7A7FC7"), transaction: [4]byte(b("9D00C4DF")), counter: 1,
	}
	command, err := s.Seal(0x5F, []byte{0x02}, b("4000E0C1F121200000430000430000"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the command", command, "905F000019 02 61B6D97903566E84C3AE5274467E89EA D799B7C1A0EF7A04 00")
	if _, err := s.Check(b("57BFF87B1241E93D 9100")); err != nil {
		t.Error(err)
	}
}

// AN12196, tables 25 and 26: ChangeKey of another key and of the session's own.
func TestKeysAreChangedAsByNXP(t *testing.T) {
	s := &Session{
		enc: key("4CF3CB41A22583A61E89B158D252FC53"), mac: key("5529860B2FC5FB6154B7F28361D30BF9"), transaction: [4]byte(b("7614281A")), counter: 2,
	}
	command, err := s.ChangeKey(2, key(zeroKey), key("F3847D627727ED3BC9C4CC050489B966"), 1)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the first command", command, "90C4000029 02 2CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC7 5D0CE20BCD1D06E6 00")
	if _, err := s.Check(b("203BB55D1089D587 9100")); err != nil {
		t.Fatal(err)
	}
	command, err = s.ChangeKey(0, Key{}, key("5004BF991F408672B1EF00F08F9E8647"), 1)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the second command", command, "90C4000029 00 C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FD A6610234BDED6432 00")
	if _, err := s.Check(b("9100")); err != nil {
		t.Error(err)
	}
	if _, err := s.AskUID(); !errors.Is(err, errOrder) {
		t.Errorf("the session goes on with a key that is gone: %v", err)
	}
}

// The log of a DESFire EV1 that public implementations test with.
func TestEV1IsThatOfNXP(t *testing.T) {
	a := NewEV1(0, key(zeroKey))
	a.random = bytes.NewReader(b("F44B26F5686F3A391CD38EBD10772281"))
	command, err := a.Ask()
	wants(t, "the first command", command, "90AA0000010000")
	if err != nil {
		t.Fatal(err)
	}
	command, err = a.Reply(b("B969FDFE56FD91FC9DE6F6F213B8FD1E 91AF"))
	wants(t, "the second command", command, "90AF000020 36AAD7DF6E436BA08D18613830A70D5AD43E3D3F4A8D47541EEE623A934E4774 00")
	if err != nil {
		t.Fatal(err)
	}
	session, err := a.Open(b("800DB680BC146BD121D6578F2D2E2059 9100"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the session", session.key[:], "F44B26F5C05DDD7110772281C4D066E8")
}

// What a festival's wristbands are tested with.
func TestUltralightSignsAsThatOfNXP(t *testing.T) {
	c := newChallenge(key(zeroKey))
	c.rndA, c.rndB = [16]byte(b("42bdf7e08e110f14b6d3323d14f1c2b9")), [16]byte(b("0d2bba17011098e9864c8aa5192af796"))
	signer := &Signer{key: c.session(0x5A, 0xA5)}
	wants(t, "the command", signer.Sign([]byte{0x60}), "60 1d5de802d6751670")
}

func TestKeysAreDiversifiedAsThoseOfNXP(t *testing.T) {
	got, err := Diversify(key("00112233445566778899AABBCCDDEEFF"), b("04782E21801D80"), b("3042F5"), b("4E585020416275"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the key", got[:], "A8DD63A3B89D54B37CA802473FDA9175")
	for _, n := range []int{0, 32} {
		if _, err := Diversify(Key{}, make([]byte, n)); err == nil {
			t.Errorf("%d bytes diversify a key", n)
		}
	}
}

func TestBoltKeysAreThoseOfTheirIssuer(t *testing.T) {
	got := Bolt(key("00000000000000000000000000000001"), UID(b("04a39493cc8680")), 1)
	for i, want := range []string{
		"a29119fcb48e737d1591d3489557e49b", "55da174c9608993dc27bb3f30a4a7314", "f4b404be700ab285e333e32348fa3d3b",
		"73610ba4afe45b55319691cb9489142f", "addd03e52964369be7f2967736b7bdb5",
	} {
		wants(t, fmt.Sprintf("K%d", i), got.Keys[i][:], want)
	}
	wants(t, "the ID", got.ID[:], "e07ce1279d980ecb892a81924b67bf18")
}

// AN12196, table 30.
func TestNXPHasMadeTheUID(t *testing.T) {
	signature := [SignatureSize]byte(b("D1940D17CFEDA4BFF80359AB975F9F6514313E8F90C1D3CAAF5941AD 744A1CDF9A83F883CAFE0FE95D1939B1B7E47113993324473B785D21"))
	uid := UID(b("04518DFAA96180"))
	if !Genuine(uid, signature) {
		t.Error("a signature of NXP is refused")
	}
	for i := range signature {
		forged := signature
		forged[i] ^= 1
		if Genuine(uid, forged) {
			t.Fatalf("with byte %d changed the signature is still believed", i)
		}
	}
	uid[6]++
	if Genuine(uid, signature) {
		t.Error("the signature does for another UID")
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	k := key("00112233445566778899AABBCCDDEEFF")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
		for _, what := range []any{k, &k, struct{ K Key }{k}, BoltKeys{Keys: [5]Key{k}},
			NewEV2(0, k), NewEV1(0, k), NewUltralight(0, k), &Session{enc: k, mac: k}, &EV1Session{key: k}, &Signer{key: k}} {
			if text := fmt.Sprintf(verb, what); strings.Contains(strings.ToLower(text), "2233") || strings.Contains(text, "34 51") || strings.Contains(text, "0x22") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	if !errors.Is(fmt.Errorf("%w: status %04X", ErrRefused, 0x91AE), ErrRefused) {
		t.Error("a refusal is not recognised")
	}
}

// The same log: ChangeKey of the session's own key, twice, and of another one.
func TestEV1ChangesKeysAsThatOfNXP(t *testing.T) {
	const fresh = "00102030405060708090A0B0B0A09080"
	for _, v := range []struct {
		session, old, fresh, command, answer string
		number                               byte
	}{
		{
			"F44B26F5C05DDD7110772281C4D066E8", zeroKey, fresh,
			"90C4000021 00 E9F85E219496C2B58C1090DC3935FAE9 E840CF61B383D9531946256B1F110C10 00", "9100", 0,
		},
		{
			"C2A1E47B27104712FE6D00A71177A19B", fresh, "10182028303840485058606870788088",
			"90C4000021 00 2945E3760E60F4A4046BB8A505B31CF5 59A3A2E05213BC82942CA6AB5DBCECF5 00", "9100", 0,
		},
		{
			"C2A1E47BD8100044FE6D00A74D7AB17C", zeroKey, fresh,
			"90C4000021 01 E7ECCB6BD1CA64BC161A12B1C024F714 30337408C8A87EACAB7A1FF18951FCA3 00", "2128D3CD9C9ACFFF 9100", 1,
		},
	} {
		s := &EV1Session{key: key(v.session)}
		command, err := s.ChangeKey(v.number, key(v.old), key(v.fresh), 0x10)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "the command", command, v.command)
		if _, err := s.Check(b(v.answer)); err != nil {
			t.Error(err)
		}
		if _, err := s.ChangeKey(1, Key{}, Key{}, 0); (err != nil) != (v.number == 0) {
			t.Errorf("key %d: afterwards, %v", v.number, err)
		}
	}
	s := &EV1Session{key: key("C2A1E47BD8100044FE6D00A74D7AB17C")}
	if _, err := s.ChangeKey(1, key(zeroKey), key(fresh), 0x10); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(b("2128D3CD9C9ACFFE 9100")); !errors.Is(err, ErrForged) {
		t.Errorf("an answer that was changed: %v", err)
	}
	if _, err := s.ChangeKey(1, Key{}, Key{}, 0); !errors.Is(err, errOrder) {
		t.Errorf("the session goes on afterwards: %v", err)
	}
}
