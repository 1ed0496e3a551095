package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const plainNumber = "04a1b2c3d4e5f6"

// cards makes a card of each kind, and makes all of them the wallet's.
func (s *tapSite) cards(ctx context.Context) ([]*tapped, error) {
	number, err := hex.DecodeString(plainNumber)
	if err != nil {
		return nil, err
	}
	plain, err := uid.New(number)
	if err != nil {
		return nil, err
	}
	signs, err := s.personalised(ctx, 1)
	if err != nil {
		return nil, err
	}
	proves, err := s.personalised(ctx, 2)
	if err != nil {
		return nil, err
	}
	bank, err := bankCard()
	if err != nil {
		return nil, err
	}
	kinds := []*tapped{
		{name: "number", present: func() (tap.Presented, error) { return tap.Presented{Card: wire.Card{UID: plain}}, nil }},
		{name: "signed message (SUN)", present: func() (tap.Presented, error) { return signed(signs), nil }},
		{name: "mutual authentication (EV2)", present: func() (tap.Presented, error) {
			p := signed(proves)
			p.Exchange = exchange(proves)
			return p, nil
		}},
		{name: "bank card (fDDA)", present: bank},
	}
	for _, k := range kinds {
		if err := s.claim(ctx, k); err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return kinds, nil
}

func exchange(to virtual.Transmitter) card.Exchange {
	return func(command []byte) ([]byte, error) { return to.Transmit(command), nil }
}

func signed(n *virtual.NTAG) tap.Presented {
	picc, mac := n.SUN()
	return tap.Presented{Card: wire.Card{SUN: true, PICC: picc, MAC: mac, Kind: card.KindNTAG424}}
}

// personalised is an NTAG 424 DNA that the paywall has made one of its own.
func (s *tapSite) personalised(ctx context.Context, last byte) (*virtual.NTAG, error) {
	number := card.UID{0x04, 1, 2, 3, 4, 5, last}
	n := virtual.FactoryNTAG(number, [card.SignatureSize]byte{})
	id, err := wallet.NewOpID(time.Now(), rand.Reader)
	if err != nil {
		return nil, err
	}
	i := wire.Issue{ID: id, Task: wire.Personalise, Kind: card.KindNTAG424, UID: number[:]}
	const most = 200
	for range most {
		next, err := s.kiosk.Issue(ctx, i)
		switch {
		case err != nil:
			return nil, err
		case next.Outcome == wire.Done:
			return n, nil
		case next.Ask == nil:
			return nil, fmt.Errorf("a card is %s: %s", next.Outcome, next.Problem)
		}
		i.Answer = &wire.Answer{State: next.Ask.State, Card: n.Transmit(next.Ask.Command)}
	}
	return nil, fmt.Errorf("a card is not made after %d commands", most)
}

// bankCard is one of a scheme of its own, and the terminal that reads it.
func bankCard() (func() (tap.Presented, error), error) {
	scheme, err := virtual.NewBankScheme(rand.Reader)
	if err != nil {
		return nil, err
	}
	authority, err := emv.NewAuthority(scheme.RID, scheme.Index, scheme.Authority.N.Bytes(), virtual.BankExponent, scheme.Hash())
	if err != nil {
		return nil, err
	}
	terminal := &emv.Terminal{
		Authorities: []*emv.Authority{authority}, Key: bytes.Repeat([]byte{7}, emv.KeySize), Currency: emv.NoCurrency, Now: time.Now, Random: rand.Reader,
	}
	one := virtual.NewBankCard(scheme, virtual.BankCardOptions{})
	return func() (tap.Presented, error) {
		token, err := terminal.Token(exchange(one))
		return tap.Presented{Card: wire.Card{Bank: true, Token: token}}, err
	}, nil
}

// claim makes a card the wallet's.
func (s *tapSite) claim(ctx context.Context, k *tapped) error {
	p, err := k.present()
	if err != nil {
		return err
	}
	r := s.desk.Tap(ctx, p, s.product, false)
	if r.Kind != tap.Unclaimed {
		return fmt.Errorf("a new card is %s, %s", r.Kind, r.Reason)
	}
	var added struct{ Card string }
	return s.post(ctx, "/.paywall/cards/add", map[string]string{"claim": r.Claim}, &added)
}
