package card

import (
	"bytes"
	"testing"
)

// AN12196, tables 3 to 6: what is on the way from a message to what it says.
func TestWhatASUNIsMadeOfIsThatOfNXP(t *testing.T) {
	for picc, want := range map[string]string{
		"EF963FF7828658A599F3041510671E88": "C704DE5F1EACC0403D0000DA5CF60941",
		"FD91EC264309878BE6345CBE53BADF40": "C704958CAA5C5E80080000A243C86DFC",
	} {
		wants(t, picc+" in plain", key(zeroKey).decrypt([blockSize]byte{}, b(picc)), want)
	}
	file := key(zeroKey)
	mac := SUN{UID: UID(b("04DE5F1EACC040")), Counter: 61}.macKey(file)
	wants(t, "the key of the MAC of table 5", mac[:], "3FB5F6E3A807A03D5E3570ACE393776F")
	enc := SUN{UID: UID(b("04958CAA5C5E80")), Counter: 1}.encKey(file)
	wants(t, "the key of the file of table 4", enc[:], "8097D73344D53F963B09E23E03B62336")
	var iv [blockSize]byte
	iv[0] = 1
	wants(t, "the vector of table 4", enc.encrypt([blockSize]byte{}, iv[:]), "7B3F3CFC39D3B7FF5868636E38AF7C3A")
	mac = SUN{UID: UID(b("04958CAA5C5E80")), Counter: 8}.macKey(file)
	wants(t, "the key of the MAC of table 6", mac[:], "3ED0920E5E6A0320D823D5987FEAFBB1")
	sum := mac.CMAC([]byte("CEE9A53E3E463EF1F459635736738962&cmac="))
	wants(t, "the CMAC of table 6", sum[:], "81EC45C175E72FF6FAC61BC7AB3BAEF6")
}

// AN12196, table 20: another AuthenticateEV2First, with key 3.
func TestEV2WithAnotherKeyIsThatOfNXP(t *testing.T) {
	k := key(zeroKey)
	a := NewEV2(3, k)
	a.random = bytes.NewReader(b("B98F4C50CF1C2E084FD150E33992B048"))
	if command, err := a.Ask(); err != nil || !bytes.Equal(command, b("9071000002030000")) {
		t.Fatalf("the first command is %X, %v", command, err)
	}
	secret := k.encrypt([blockSize]byte{}, b("91517975190DCEA6104948EFA3085C1B"))
	command, err := a.Reply(append(secret, 0x91, 0xAF))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the second command", command, "90AF000020 FF0306E47DFBC50087C4D8A78E88E62DE1E8BE457AA477C707E2F0874916A8B1 00")
	plain := append(b("7614281A"), rotated(a.rndA[:])...)
	s, err := a.Open(append(k.encrypt([blockSize]byte{}, append(plain, make([]byte, 12)...)), 0x91, 0x00))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the transaction", s.transaction[:], "7614281A")
	wants(t, "the key to encrypt", s.enc[:], "7A93D6571E4B180FCA6AC90C9A7488D4")
	wants(t, "the key to sign", s.mac[:], "FC4AF159B62E549B5812394CAB1918CC")
}

// AN12196, table 29: the vector with which the answer is decrypted.
func TestTheVectorOfAnAnswerIsThatOfNXP(t *testing.T) {
	s := &Session{enc: key("2B4D963C014DC36F24F69A50A394F875"), transaction: [4]byte(b("DF055522")), counter: 1}
	iv := s.vector(0x5A, 0xA5)
	wants(t, "the vector", iv[:], "7F6BB0B278EA054CBD238C5D9E9E342B")
}

// boltcard, docs/DETERMINISTIC.md: the key from which a card's own are derived.
func TestTheCardKeyIsThatOfItsIssuer(t *testing.T) {
	sum := key("00000000000000000000000000000001").CMAC(append(b("2D003F75 04a39493cc8680"), 1, 0, 0, 0))
	wants(t, "the card's key", sum[:], "ebff5a4e6da5ee14cbfe720ae06fbed9")
}
