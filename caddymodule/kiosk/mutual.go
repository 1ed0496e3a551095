package kiosk

import (
	"context"
	"errors"
	"io"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// prove finds out which card it is and how much it proves, and asks for what is missing:
// where the kiosk can carry commands, a card that can prove that it has its key has to.
// What a card in somebody's pocket was made to show is worth nothing there.
func (c *Cashier) prove(ctx context.Context, t wire.Tap, d *dialog) (p proof, command []byte, reason wire.Reason, err error) {
	if p, reason = c.read(d.Shown); reason != "" {
		return p, nil, reason, nil
	}
	var version uint32
	tier := TierMutual
	switch one, _, err := load[Card](ctx, c, p.register); {
	case err == nil:
		version, tier = one.Version, one.Tier
	case !errors.Is(err, wallet.ErrNotFound):
		return p, nil, "", err
	default:
		if version, _, err = c.versionOf(ctx, p.hash); err != nil {
			return p, nil, "", err
		}
	}
	if !c.verify(p, version) {
		return p, nil, wire.Forged, nil // it has another key, and would count the challenge as an attack
	}
	number, ok := p.number()
	d.Proving = d.Proving || ok && t.Exchange && p.kind != "" && (p.signed || tier >= TierMutual)
	if !d.Proving {
		return p, nil, "", nil
	}
	key := card.Online.Key(card.Bolt(c.Keys.Cards, number, version))
	command, err = replay(d.Seed, d.Answers, func(random io.Reader, exchange card.Exchange) error {
		return card.Prove(p.kind, card.Online, key, random, exchange)
	})
	switch {
	case command != nil:
	case err == nil:
		p.tier = TierMutual
	case p.signed || !errors.Is(err, card.ErrForeign): // else it is what its number is
		reason = wire.Forged
	}
	return p, command, reason, nil
}

// number is the card's, of the length that cards with keys have.
func (p proof) number() (number card.UID, ok bool) {
	b := p.uid.Bytes()
	return number, copy(number[:], b) == len(b) && len(b) == len(number)
}
