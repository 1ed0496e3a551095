package emv

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
)

const ourAccount = "V001A1B2C3D4E5F6G7H8I9J0K1L2M" // a reference (PAR) of 29 characters

// terminal is one that takes the cards of our scheme.
func terminal(t testing.TB) *Terminal {
	t.Helper()
	return &Terminal{
		Authorities: []*Authority{ourChain().anchor(t)}, Key: bytes.Repeat([]byte{7}, KeySize), Currency: NoCurrency,
		Now: func() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }, Random: rand.Reader,
	}
}

// shows carries commands to a card in software.
func shows(c *virtual.BankCard) func([]byte) ([]byte, error) {
	return func(command []byte) ([]byte, error) { return c.Transmit(command), nil }
}

func ours(o virtual.BankCardOptions) *virtual.BankCard {
	return virtual.NewBankCard(ourChain().BankScheme, o)
}

// proofs are all ways to prove something.
var proofs = []virtual.BankProof{virtual.FastProof, virtual.OldFastProof, virtual.DynamicProof, virtual.CombinedProof}

func tokenOf(t *testing.T, terminal *Terminal, o virtual.BankCardOptions) Token {
	t.Helper()
	got, err := terminal.Token(shows(ours(o)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestABankCardHasOneTokenHoweverItProvesItself(t *testing.T) {
	want := tokenOf(t, terminal(t), virtual.BankCardOptions{})
	for _, proof := range proofs {
		if got := tokenOf(t, terminal(t), virtual.BankCardOptions{Proof: proof}); got != want {
			t.Errorf("by proof %d it is another card", proof)
		}
	}
	if got := tokenOf(t, terminal(t), virtual.BankCardOptions{Number: "5413330089020029"}); got == want {
		t.Error("another card has the same token")
	}
	if got := tokenOf(t, terminal(t), virtual.BankCardOptions{Number: "541333008902001"}); got == want {
		t.Error("a shorter number has the same token")
	}
	other := terminal(t)
	other.Key = bytes.Repeat([]byte{8}, KeySize)
	if got := tokenOf(t, other, virtual.BankCardOptions{}); got == want {
		t.Error("with another key it is the same token")
	}
}

// A phone has another number than the card that it stands for, and the same account.
func TestAPhoneAndItsCardAreOneByTheirAccount(t *testing.T) {
	card := tokenOf(t, terminal(t), virtual.BankCardOptions{Account: ourAccount})
	phone := tokenOf(t, terminal(t), virtual.BankCardOptions{Account: ourAccount, Number: "5413339000001513"})
	if card != phone {
		t.Error("they have two tokens")
	}
	if card == tokenOf(t, terminal(t), virtual.BankCardOptions{}) {
		t.Error("the account is not looked at")
	}
}

// The attack: somebody stands between a card of their own and the reader, and puts another's
// account into what the card has not signed.
func TestAnAccountThatNobodyHasSignedCountsForNothing(t *testing.T) {
	mine := tokenOf(t, terminal(t), virtual.BankCardOptions{Number: "5413330089020029"})
	if got := tokenOf(t, terminal(t), virtual.BankCardOptions{Number: "5413330089020029", Account: ourAccount, LooseAccount: true}); got != mine {
		t.Error("it is somebody else's card")
	}
}

// The attacks: a card that signs wrongly, or something else than it is asked; certificates
// that are over, or another card's; a number without a proof.
func TestABankCardThatDoesNotProveItselfHasNoToken(t *testing.T) {
	for what, c := range map[string]struct {
		options virtual.BankCardOptions
		want    error
	}{
		"a corrupted signature":             {virtual.BankCardOptions{WrongSignature: true}, ErrForged},
		"the signature of another time":     {virtual.BankCardOptions{WrongChallenge: true}, ErrForged},
		"the certificate of another card":   {virtual.BankCardOptions{CertifiedNumber: "5413330089020029"}, ErrForged},
		"the certificate of other cards":    {virtual.BankCardOptions{CertifiedNumber: "4761739001010119"}, ErrForged},
		"a card's certificate that is over": {virtual.BankCardOptions{CardEnd: "0226"}, ErrExpired},
		"an issuer's that is over":          {virtual.BankCardOptions{IssuerEnd: "0226"}, ErrExpired},
		"a card that is over":               {virtual.BankCardOptions{Expires: "260228"}, ErrExpired},
	} {
		for _, proof := range proofs {
			c.options.Proof = proof
			if got, err := terminal(t).Token(shows(ours(c.options))); !errors.Is(err, c.want) || got != (Token{}) {
				t.Errorf("%s, by proof %d: %v", what, proof, err)
			}
		}
	}
	for what, o := range map[string]virtual.BankCardOptions{
		"the last day of its certificate": {CardEnd: "0326"}, "its own last day": {Expires: "260301"},
	} {
		if _, err := terminal(t).Token(shows(ours(o))); err != nil {
			t.Errorf("on %s: %v", what, err)
		}
	}
	if _, err := terminal(t).Token(shows(ours(virtual.BankCardOptions{Proof: virtual.NoProof}))); !errors.Is(err, ErrUnproven) {
		t.Errorf("a number alone: %v", err)
	}
	for _, proof := range []virtual.BankProof{virtual.DynamicProof, virtual.CombinedProof} {
		card := ours(virtual.BankCardOptions{Proof: proof})
		if _, err := terminal(t).Token(func(command []byte) ([]byte, error) {
			if command[1] == instructionAuthenticate || command[1] == instructionGenerate {
				return b("6985"), nil
			}
			return card.Transmit(command), nil
		}); !errors.Is(err, ErrUnproven) {
			t.Errorf("a card that will not sign by proof %d: %v", proof, err)
		}
	}
}

// The attack: all that a card has said in one transaction is taken down, and said again.
func TestATransactionIsGoodForOneTime(t *testing.T) {
	for _, proof := range proofs {
		card, said := ours(virtual.BankCardOptions{Proof: proof}), [][]byte{}
		if _, err := terminal(t).Token(func(command []byte) ([]byte, error) {
			answer := card.Transmit(command)
			said = append(said, bytes.Clone(answer))
			return answer, nil
		}); err != nil {
			t.Fatal(err)
		}
		again := said
		if _, err := terminal(t).Token(func([]byte) (answer []byte, _ error) {
			answer, again = bytes.Clone(again[0]), again[1:]
			return answer, nil
		}); !errors.Is(err, ErrForged) {
			t.Errorf("by proof %d a recording is believed: %v", proof, err)
		}
	}
}

// The attack: what a card says is changed on its way. It is another card's token never, and
// this card's only where what was changed means nothing.
func TestAChangedTransactionIsNobodyElses(t *testing.T) {
	for _, proof := range proofs {
		card := ours(virtual.BankCardOptions{Proof: proof, Account: ourAccount})
		want, err := terminal(t).Token(shows(card))
		if err != nil {
			t.Fatal(err)
		}
		tried, believed := 0, 0
		for at, changed := 0, true; changed; at += 7 {
			left := at
			changed = false
			got, err := terminal(t).Token(func(command []byte) ([]byte, error) {
				answer := card.Transmit(command)
				if left >= 0 && left < len(answer) {
					answer[left] ^= 1
					changed = true
				}
				left -= len(answer)
				return answer, nil
			})
			if tried++; err == nil {
				believed++
			}
			if err == nil && got != want {
				t.Errorf("by proof %d, with byte %d changed, it is somebody else's", proof, at)
			}
		}
		if tried < 100 || believed > tried/10 {
			t.Errorf("by proof %d, %d changes of %d are believed", proof, believed, tried)
		}
	}
}

// What a terminal says is nothing that could be charged, and new each time.
func TestATransactionIsForNothing(t *testing.T) {
	seen := make(map[string]bool)
	card := ours(virtual.BankCardOptions{})
	for range 5 {
		if _, err := terminal(t).Token(func(command []byte) ([]byte, error) {
			if command[1] == instructionProcess {
				told := command[7 : len(command)-1] // qualifiers, amount, currency, challenge
				if want := b("21800000 000000000000 0999"); !bytes.Equal(told[:12], want) {
					t.Errorf("the card is told %X", told)
				}
				seen[string(told[12:])] = true
			}
			return card.Transmit(command), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 5 {
		t.Errorf("there are %d challenges in 5 transactions", len(seen))
	}
	broken := terminal(t)
	broken.Random = strings.NewReader("")
	if _, err := broken.Token(shows(card)); err == nil {
		t.Error("there is a challenge without random numbers")
	}
	short := terminal(t)
	short.Key = short.Key[1:]
	if _, err := short.Token(shows(card)); !errors.Is(err, errKey) {
		t.Errorf("a short key: %v", err)
	}
}

// The attack: a log, a crash report or memory that is read afterwards has a card's number.
func TestACardsNumberIsNowhere(t *testing.T) {
	for _, proof := range proofs {
		for _, o := range []virtual.BankCardOptions{{}, {WrongSignature: true}, {CertifiedNumber: "5413330089020029"}, {Expires: "200101"}, {Account: ourAccount}} {
			o.Proof = proof
			card, answers := ours(o), [][]byte{}
			machine := terminal(t)
			got, err := machine.Token(func(command []byte) ([]byte, error) {
				answers = append(answers, card.Transmit(command))
				return answers[len(answers)-1], nil
			})
			text, failed := json.Marshal(map[string]any{"token": got})
			if failed != nil {
				t.Fatal(failed)
			}
			printed := fmt.Sprintf("%v %+v %#v %x %s %v %+v %#v %v %+v %#v %s", got, got, got, got, got, err, err, err, machine, machine, machine, text)
			for _, secret := range []string{ // the number, the token, the account, the key, in one form or another
				"54133300", "89020011", "84 19 51", hex.EncodeToString(got[:]), ourAccount, "07070707", "7 7 7 7",
			} {
				if strings.Contains(printed, secret) {
					t.Errorf("%s is printed: %s", secret, printed)
				}
			}
			for _, answer := range answers {
				if slices.ContainsFunc(answer[:len(answer)-2], func(b byte) bool { return b != 0 }) {
					t.Errorf("an answer of the card is kept: %X", answer)
				}
			}
		}
	}
}

// A card that is torn away at any moment has no token, and the error is the reader's.
func TestATornBankCardHasNoToken(t *testing.T) {
	torn := errors.New("torn away")
	for _, proof := range proofs {
		for last := 0; ; last++ {
			card, left := ours(virtual.BankCardOptions{Proof: proof}), last
			_, err := terminal(t).Token(func(command []byte) ([]byte, error) {
				if left--; left < 0 {
					return nil, torn
				}
				return card.Transmit(command), nil
			})
			if err == nil {
				if last < 8 {
					t.Errorf("by proof %d a card has a token after %d commands", proof, last)
				}
				break
			}
			if !errors.Is(err, torn) {
				t.Errorf("after %d commands: %v", last, err)
			}
		}
	}
}

func TestOtherCardsAreNoBankCards(t *testing.T) {
	foreign := terminal(t)
	foreign.Authorities = []*Authority{{RID: [5]byte(b("A000000003")), Index: 1}}
	for what, exchange := range map[string]func([]byte) ([]byte, error){
		"a card without a list":   func([]byte) ([]byte, error) { return b("6A82"), nil },
		"a card that says yes":    func([]byte) ([]byte, error) { return b("9000"), nil },
		"a card of a tag's chip":  func([]byte) ([]byte, error) { return b("6D00"), nil },
		"a card of other schemes": shows(ours(virtual.BankCardOptions{})),
	} {
		if _, err := foreign.Token(exchange); !errors.Is(err, ErrNoBankCard) {
			t.Errorf("%s: %v", what, err)
		}
	}
	old := terminal(t)
	old.Authorities = []*Authority{{RID: ourChain().RID, Index: 9}}
	if _, err := old.Token(shows(ours(virtual.BankCardOptions{}))); !errors.Is(err, ErrUnproven) {
		t.Errorf("an authority's key that is not known: %v", err)
	}
}

func TestTheApplicationThatTheCardPrefersGoesFirst(t *testing.T) {
	entry := func(name, priority string) string {
		content := fmt.Sprintf("4F%02X%s", len(name)/2, name)
		if priority != "" {
			content += "8701" + priority
		}
		return fmt.Sprintf("61%02X%s", len(content)/2, content)
	}
	all, err := applications(b(entry("A00000000401", "") + entry("A00000000301", "83") + entry("A00000000302", "02") + entry("A0", "01") + entry("A00000000303", "00")))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range all {
		names = append(names, hex.EncodeToString(a.name))
	}
	if got := strings.Join(names, " "); got != "a00000000302 a00000000301 a00000000401 a00000000303" {
		t.Errorf("they are %s", got)
	}
}

func TestACardIsToldWhatItAsksFor(t *testing.T) {
	machine := terminal(t)
	machine.Random, machine.Country = bytes.NewReader([]byte{1, 2, 3, 4}), [2]byte{0x07, 0x56}
	own, err := machine.tells()
	if err != nil {
		t.Fatal(err)
	}
	for list, want := range map[string]string{
		"":                                 "",
		"9F3704 9A03 9F2103 9F1A02 5F2A02": "01020304 260301 120000 0756 0999",
		"9F1A03 9F1A01 9F3706 9F3702":      "000756 56 010203040000 0102", // numbers on the right, others on the left
		"9F7C04 DF8101 02":                 "00000000 0000",               // unknown
		"9F3501 9F3303":                    "25 0008C8",
	} {
		if got, err := own.answers(b(list)); err != nil || !bytes.Equal(got, b(want)) {
			t.Errorf("for %s it is told %X, %v", list, got, err)
		}
	}
	for _, bad := range []string{"9F", "9F37", "9F37049F", "9F7CFF9F7C01"} {
		if got, err := own.answers(b(bad)); err == nil {
			t.Errorf("for %s it is told %X", bad, got)
		}
	}
}

func TestTheListOfRecordsIsBounded(t *testing.T) {
	all, err := locate(b("10010200 18020301"))
	if want := []location{{2, 1, false}, {2, 2, false}, {3, 2, true}, {3, 3, false}}; err != nil || !slices.Equal(all, want) {
		t.Errorf("the records are %v, %v", all, err)
	}
	for _, bad := range []string{"100102", "00010100", "F8010100", "11010100", "10000100", "10020100", "10010102", "1001FF00", "10011000 18010100"} {
		if all, err := locate(b(bad)); err == nil {
			t.Errorf("%s has %d records", bad, len(all))
		}
	}
}

func FuzzTransaction(f *testing.F) {
	for _, proof := range proofs {
		var said []byte
		card := ours(virtual.BankCardOptions{Proof: proof})
		if _, err := terminal(f).Token(func(command []byte) ([]byte, error) {
			answer := card.Transmit(command)
			said = append(append(said, byte(len(answer))), answer...)
			return answer, nil
		}); err != nil {
			f.Fatal(err)
		}
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		commands := 0
		if _, err := terminal(t).Token(func([]byte) ([]byte, error) {
			commands++
			if len(said) == 0 {
				return nil, errors.New("torn away")
			}
			n := min(int(said[0]), len(said)-1)
			answer := bytes.Clone(said[1 : 1+n])
			said = said[1+n:]
			return answer, nil
		}); err == nil {
			t.Error("a card that signs nothing is believed")
		}
		if commands > mostRecords+4 {
			t.Errorf("it is sent %d commands", commands)
		}
	})
}

func FuzzDataObjectList(f *testing.F) {
	f.Add(b("9F66049F02065F2A029F3704"))
	own, err := terminal(f).tells()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		if told, err := own.answers(list); len(told) > mostData || err != nil && told != nil {
			t.Errorf("it is told %d bytes, %v", len(told), err)
		}
	})
}
