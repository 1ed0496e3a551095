package emv

import (
	"bytes"
	"testing"
)

// The data that the first published card has signed once and for all have the code that was
// published with them. Their hash covers what the set does not have.
func TestTheFirstPublishedCardHasStaticData(t *testing.T) {
	data := set(t, 1)
	authority, err := NewAuthority([5]byte(b("A000000003")), 0x94, data["CA modulus"], []byte{0x03}, data["CA hash"])
	if err != nil {
		t.Fatal(err)
	}
	content, err := authority.key.recover(data["issuer certificate"], formatIssuer, nil, []byte{0x03})
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := certified(content, issuerHead, nil, []byte{0x03}, whenValid)
	if err != nil {
		t.Fatal(err)
	}
	content, _, err = issuer.open(data["signed static data"], 0x03)
	if err != nil || !bytes.Equal(content[2:4], b("DAC0")) {
		t.Errorf("it is %X, %v", content, err)
	}
}

// What a phone answers to a reader of passes (Apple VAS) is written in the same encoding.
func TestAPassReadsAsDataObjects(t *testing.T) {
	objects, err := Parse(b("6f1d50084170706c655061799f210201009f2404e9caede39f23040000003e"))
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[uint32]string{0x50: "4170706c65506179", 0x9F21: "0100", 0x9F24: "e9caede3", 0x9F23: "0000003e"} {
		if got := Find(objects, tag); !bytes.Equal(got, b(want)) {
			t.Errorf("%X is %x, want %s", tag, got, want)
		}
	}
	if name := Find(objects, 0x50); string(name) != "ApplePay" {
		t.Errorf("the application is %q", name)
	}
}
