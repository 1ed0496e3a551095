package kiosk

import (
	"encoding/hex"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

const keyVersion = 1 // of the keys that a card is personalised with

// proof is what a card has shown, as far as it can be judged without knowing whose it is.
type proof struct {
	hash     uid.Hash
	register string
	tier     Tier
	uid      uid.UID
	kind     card.Kind
	signed   bool // by a SUN message
	sun      card.SUN
	mac      card.MAC
}

// read finds out which card it is. A SUN message that nobody has signed yet proves nothing:
// see verify.
func (c *Cashier) read(shown wire.Card) (p proof, reason wire.Reason) {
	p.uid, p.mac, p.kind, p.signed = shown.UID, shown.MAC, shown.Kind, shown.SUN
	if shown.SUN {
		p.tier, p.kind = TierSUN, card.KindNTAG424
		var err error
		if p.sun, err = card.OpenSUN(card.Bolt(c.Keys.Cards, card.UID{}, keyVersion).Keys[1], shown.PICC); err != nil {
			return p, wire.Forged
		}
		if p.uid, err = uid.New(p.sun.UID[:]); err != nil {
			return p, wire.Forged
		}
	}
	if p.uid.Random() || shown.Bank {
		return p, wire.NoIdentity
	}
	var err error
	if p.hash, err = p.uid.Hash(c.Keys.UIDs); err != nil {
		return p, wire.NoIdentity
	}
	p.register = cardPrefix + hex.EncodeToString(p.hash[:])
	return p, ""
}

// verify reports whether the message that the card has shown, if it has, is signed with its
// own key.
func (c *Cashier) verify(p proof, version uint32) bool {
	if !p.signed {
		return true
	}
	return p.sun.Verify(card.Bolt(c.Keys.Cards, p.sun.UID, version).Keys[2], nil, p.mac) == nil
}
