package kiosk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

const keyVersion = 1 // of the keys that a card is personalised with the first time

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
// see verify. That a bank card has signed is the kiosk's word: it alone has seen it.
func (c *Cashier) read(shown wire.Card) (p proof, reason wire.Reason) {
	if shown.Bank {
		hash := c.bankCard(shown.Token)
		return proof{tier: TierEMV, hash: hash, register: registerOf(hash)}, ""
	}
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
	if p.uid.Random() {
		return p, wire.NoIdentity
	}
	var err error
	if p.hash, err = p.uid.Hash(c.Keys.UIDs); err != nil {
		return p, wire.NoIdentity
	}
	p.register = registerOf(p.hash)
	return p, ""
}

func registerOf(hash uid.Hash) string { return cardPrefix + hex.EncodeToString(hash[:]) }

// bankCard is what is stored in the place of a bank card's token: who has the ledger cannot
// pay with it at a kiosk, and a kiosk that has the key of the tokens cannot look into the
// ledger with it. No UID's hash begins with such a byte.
func (c *Cashier) bankCard(token [32]byte) uid.Hash {
	mac := hmac.New(sha256.New, c.Keys.UIDs)
	mac.Write([]byte("bank card\x00"))
	mac.Write(token[:])
	return uid.Hash(mac.Sum(nil))
}

// verify reports whether the message that the card has shown, if it has, is signed with its
// own key.
func (c *Cashier) verify(p proof, version uint32) bool {
	if !p.signed {
		return true
	}
	return p.sun.Verify(card.Bolt(c.Keys.Cards, p.sun.UID, version).Keys[2], nil, p.mac) == nil
}
