package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func newRecord(t testing.TB, before Head) Record {
	t.Helper()
	id, err := wallet.NewOpID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Record{
		Tap: id, Seq: before.Seq + 1, Previous: before.Hash, Time: at.UnixMilli(), Product: "coffee", Price: "1.20",
		Handle: strings.Repeat("0123456789abcdef", 2),
	}
}

func signRecord(t testing.TB, r Record, key ed25519.PrivateKey) Signed {
	t.Helper()
	s, err := r.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecordsFollowEachOther(t *testing.T) {
	public, private := newKey(t)
	var head Head
	for range 3 {
		r := newRecord(t, head)
		s := signRecord(t, r, private)
		got, reversed, err := s.Verify(public)
		if err != nil || reversed || got.Tap != r.Tap || !got.Follows(head) {
			t.Fatalf("%+v, %v, %v", got, reversed, err)
		}
		if _, reversed, err = s.Reverse(private).Verify(public); err != nil || !reversed {
			t.Errorf("a reversed one is reversed %v, %v", reversed, err)
		}
		if next := s.Head(r); next.Is(head) || r.Follows(next) {
			t.Error("a record follows itself")
		} else {
			head = next
		}
	}
}

// The attack: a record that was altered on the disk, that another kiosk has signed, or whose
// reversal is a token, another record's or another signature.
func TestAForgedRecordIsNone(t *testing.T) {
	public, private := newKey(t)
	_, other := newKey(t)
	good := signRecord(t, newRecord(t, Head{}), private)
	another := signRecord(t, newRecord(t, Head{}), private)
	altered := good
	altered.Text = bytes.Replace(good.Text, []byte(`"1.20"`), []byte(`"0.20"`), 1)
	reversed := good
	reversed.Reversal = good.Signature
	foreign := good
	foreign.Reversal = another.Reverse(private).Reversal
	swapped := Signed{Text: good.Text, Signature: good.Reverse(private).Reversal}
	long := Signed{Text: bytes.Repeat([]byte(" "), maxRecord+1)}
	long.Signature = ed25519.Sign(private, domain(recordDomain, long.Text))
	for name, s := range map[string]Signed{
		"altered": altered, "another kiosk's": signRecord(t, newRecord(t, Head{}), other), "a token as its reversal": reversed,
		"another's reversal": foreign, "a reversal as its signature": swapped, "too long": long, "nothing": {},
	} {
		if _, _, err := s.Verify(public); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Record){
		"no product": func(r *Record) { r.Product = "" }, "no handle": func(r *Record) { r.Handle = "" },
		"a handle of other letters": func(r *Record) { r.Handle = strings.Repeat("Z", HandleSize) }, "no place": func(r *Record) { r.Seq = 0 },
	} {
		r := newRecord(t, Head{})
		change(&r)
		if _, _, err := signRecord(t, r, private).Verify(public); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRecord(f *testing.F) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signRecord(f, newRecord(f, Head{}), private).Text)
	f.Add([]byte(`{"seq":1,"product":"a","handle":"00000000000000000000000000000000"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Signed{Text: text}.Read()
		if err != nil {
			return
		}
		again, err := r.Sign(private)
		if err != nil {
			return // it is longer than what was read
		}
		if same, err := again.Read(); err != nil || fmt.Sprint(same) != fmt.Sprint(r) {
			t.Errorf("%s is written as %s: %v", text, again.Text, err)
		}
	})
}

// The attack: the key of a card is taken down on its way to a kiosk, or given to another.
func TestACardsKeyReachesOneKiosk(t *testing.T) {
	public, private := newKey(t)
	_, other := newKey(t)
	key, handle := []byte("0123456789abcdef"), strings.Repeat("a", HandleSize)
	sealed, err := SealCardKey(public, handle, key)
	if err != nil || bytes.Contains(sealed, key) {
		t.Fatal("it is not sealed", err)
	}
	if got, err := OpenCardKey(private, handle, sealed); err != nil || !bytes.Equal(got, key) {
		t.Errorf("the kiosk reads %x, %v", got, err)
	}
	if _, err := OpenCardKey(other, handle, sealed); err == nil {
		t.Error("another kiosk opens it")
	}
	if _, err := OpenCardKey(private, strings.Repeat("b", HandleSize), sealed); err == nil {
		t.Error("it opens as another card's")
	}
	one := append([]byte{1}, make([]byte, 31)...) // y = 1
	if _, err := SealCardKey(one, handle, key); err == nil {
		t.Error("a key is sealed to nobody")
	}
}
