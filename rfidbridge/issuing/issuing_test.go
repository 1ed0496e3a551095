package issuing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/issue"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

const acr, address = "ACS ACR1252 PICC 00 00", "https://shop.example/.paywall/tap"

// paywall has the keys, and runs its script anew from the answers for each request.
type paywall struct {
	answers [][]byte
	silent  int // times that it does not answer first
	refuses string
}

var errMore = errors.New("one more answer")

func keysOf(number card.UID) card.BoltKeys { return card.Bolt(card.Key{7}, number, issue.KeyVersion) }

func (p *paywall) Issue(_ context.Context, i wire.Issue) (wire.Issued, error) {
	if p.silent > 0 {
		p.silent--
		return wire.Issued{}, client.ErrUncertain
	}
	if p.refuses != "" {
		return wire.Issued{ID: i.ID, Outcome: wire.Refused, Problem: p.refuses}, nil
	}
	if i.Answer == nil {
		p.answers = nil
	} else {
		p.answers = append(p.answers, i.Answer.Card)
	}
	number := card.UID(i.UID)
	made, rest := issue.Card{Kind: i.Kind, UID: number, Keys: keysOf(number), URL: address}, p.answers
	var next []byte
	exchange := func(command []byte) ([]byte, error) {
		if len(rest) == 0 {
			next = command
			return nil, errMore
		}
		answer := slices.Clone(rest[0])
		rest = rest[1:]
		return answer, nil
	}
	do := issue.Personalise
	if i.Task == wire.Reset {
		do = issue.Reset
	}
	switch err := do(made, mathrand.NewChaCha8([32]byte{}), exchange); {
	case errors.Is(err, errMore):
		return wire.Issued{ID: i.ID, Outcome: wire.Asked, Ask: &wire.Ask{State: "sealed", Command: next}}, nil
	case err != nil:
		return wire.Issued{ID: i.ID, Outcome: wire.Refused, Problem: err.Error()}, nil
	}
	return wire.Issued{ID: i.ID, Outcome: wire.Done}, nil
}

// lying is a card on a reader, with its ATR; it may be taken away at a command.
type lying struct {
	virtual.Transmitter
	atr  []byte
	left int // commands until it is gone; 0: it stays
}

func (l *lying) ATR() []byte { return l.atr }

func (l *lying) Transmit(apdu []byte) []byte {
	if l.left > 0 {
		if l.left--; l.left == 0 {
			return nil
		}
	}
	return l.Transmitter.Transmit(apdu)
}

// desk is a desk with a reader, and what it says.
type desk struct {
	*testing.T
	daemon *pcsctest.Daemon
	said   chan string
}

func open(t *testing.T, d Desk) *desk {
	t.Helper()
	o := &desk{t, pcsctest.Start(t, 6), make(chan string, 64)}
	o.daemon.Plug(acr)
	d.Say, d.Now, d.Random = func(line string) { o.said <- line }, time.Now, rand.Reader
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = d.Run(ctx, reader.PCSC{Socket: o.daemon.Socket(), Chips: true})
	}()
	t.Cleanup(func() { stop(); <-over })
	o.hears(acr + ": ready")
	return o
}

// hears waits for a line, and returns those before it.
func (o *desk) hears(want string) (before string) {
	o.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case line := <-o.said:
			if before += line + "\n"; strings.Contains(line, want) {
				return before
			}
		case <-late:
			o.Fatalf("it does not say %q, but:\n%s", want, before)
		}
	}
}

func (o *desk) lays(c *lying, want string) string {
	o.Helper()
	o.daemon.Insert(acr, c)
	said := o.hears(want)
	o.daemon.Insert(acr, nil)
	if r, can := c.Transmitter.(interface{ Reset() }); can {
		r.Reset()
	}
	return said
}

var number = card.UID{0x04, 0xA3, 0x94, 0x93, 0xCC, 0x86, 0x80}

func blanks() map[string]func() *lying {
	return map[string]func() *lying{
		"NTAG 424 DNA": func() *lying {
			return &lying{Transmitter: virtual.FactoryNTAG(number, [card.SignatureSize]byte{}), atr: virtual.ATR}
		},
		"MIFARE DESFire":        func() *lying { return &lying{Transmitter: virtual.NewDESFire(number, virtual.EV2), atr: virtual.ATR} },
		"MIFARE Ultralight AES": func() *lying { return &lying{Transmitter: virtual.NewUltralight(number), atr: virtual.UltralightATR} },
	}
}

func TestCardsAreMadeAtADesk(t *testing.T) {
	makes, resets, looks := open(t, Desk{Paywall: new(paywall), Task: wire.Personalise}), open(t, Desk{Paywall: new(paywall), Task: wire.Reset}), open(t, Desk{})
	for kind, blank := range blanks() {
		c := blank()
		looks.lays(c, kind+", blank")
		c.left = 20
		makes.lays(c, "taken away too early")
		said := makes.lays(c, "done, with")
		if strings.Contains(said, "9493cc") {
			t.Errorf("it says the card's number:\n%s", said)
		}
		looks.lays(c, kind+", personalised")
		resets.lays(c, "done, with")
		looks.lays(c, kind+", blank")
	}
	looks.lays(&lying{Transmitter: mute{}, atr: virtual.ATR}, "of no kind")
	looks.lays(&lying{Transmitter: mute{}, atr: virtual.UltralightATR}, "of no kind")
}

// mute is a card with a number and nothing else.
type mute struct{}

func (mute) Transmit(apdu []byte) []byte {
	if string(apdu[:2]) == "\xff\xca" {
		return []byte{0x04, 1, 2, 3, 4, 5, 6, 0x90, 0x00}
	}
	return []byte{0x6A, 0x81}
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	ntag := blanks()["NTAG 424 DNA"]
	open(t, Desk{Paywall: &paywall{silent: 1}, Task: wire.Personalise}).lays(ntag(), "done, with")
	open(t, Desk{Paywall: &paywall{refuses: "the card belongs to a wallet"}, Task: wire.Personalise}).lays(ntag(), "refused: the card belongs to a wallet")
	foreign := virtual.NewNTAG(number, card.Bolt(card.Key{9}, number, 1).Keys, address+"?")
	o := open(t, Desk{Paywall: new(paywall), Task: wire.Personalise})
	o.lays(&lying{Transmitter: foreign, atr: virtual.ATR}, "somebody else's keys")
	if foreign.Failures() > 1 {
		t.Errorf("a foreign card is tried with %d keys", foreign.Failures())
	}
	hiding := virtual.FactoryNTAG(number, [card.SignatureSize]byte{})
	hiding.HideUID()
	o.lays(&lying{Transmitter: hiding, atr: virtual.ATR}, "hides its number")
}

// endless is a paywall that never comes to an end.
type endless struct{}

func (endless) Issue(_ context.Context, i wire.Issue) (wire.Issued, error) {
	return wire.Issued{ID: i.ID, Outcome: wire.Asked, Ask: &wire.Ask{Command: []byte{0x90, 0x60, 0x00, 0x00, 0x00}}}, nil
}

func TestOneCardEndsADeskThatIsForOne(t *testing.T) {
	for _, c := range []struct {
		paywall Paywall
		want    error
	}{{new(paywall), nil}, {endless{}, errTooMany}} {
		d := pcsctest.Start(t, 6)
		d.Plug(acr)
		d.Insert(acr, blanks()["NTAG 424 DNA"]())
		one := Desk{Paywall: c.paywall, Task: wire.Personalise, Once: true, Say: func(string) {}, Now: time.Now, Random: rand.Reader}
		if err := one.Run(t.Context(), reader.PCSC{Socket: d.Socket(), Chips: true}); !errors.Is(err, c.want) {
			t.Errorf("it ends with %v, want %v", err, c.want)
		}
	}
}

func TestAReportSaysWhatACardShows(t *testing.T) {
	text := fmt.Sprint(describe(wire.Card{}.UID, issue.Report{
		Kind: card.KindNTAG424, State: issue.Issued, Versions: []byte{1, 1, 1, 1, 1}, SUN: true, Address: address, Signed: true,
	}))
	for _, want := range []string{"personalised", "1 1 1 1 1", address + " with a message", "NXP has signed"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q: %s", want, text)
		}
	}
}
