package simulate

import (
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// words say to who has tapped what has become of it, and what to do.
type words struct {
	Title, Text string
	Good        bool
}

var kinds = map[tap.Kind]words{
	tap.Paid:       {"Paid", "Take it, or go in.", true},
	tap.Unclaimed:  {"Nobody's card yet", "Make it yours, and it pays from your wallet.", false},
	tap.NotOpened:  {"It did not open", "You have not paid: the money is back in your wallet.", false},
	tap.Offline:    {"No connection", "The kiosk cannot reach the paywall. Nothing was paid; try again in a moment.", false},
	tap.OutOfOrder: {"Out of order", "This kiosk takes no taps at the moment.", false},
}

var reasons = map[wire.Reason]words{
	wire.NoMoney:      {"Not enough money", "Top up the wallet of this card, then tap again.", false},
	wire.Blocked:      {"This card is blocked", "Whoever owns it can let it pay again.", false},
	wire.Frozen:       {"This wallet is frozen", "Ask the operator why.", false},
	wire.TapLimit:     {"Above the card's limit", "Its owner lets it pay less at a time.", false},
	wire.DayLimit:     {"Enough for today", "Its owner lets it pay less a day.", false},
	wire.TierLimit:    {"Too much for this kind of card", "A card that only shows its number may pay small sums.", false},
	wire.Forged:       {"This card is not genuine", "It has not the key that it should have.", false},
	wire.Replayed:     {"Tap again", "This message of the card has been used.", false},
	wire.ProofNeeded:  {"Use another reader", "This card has to prove itself, which this reader does not ask for.", false},
	wire.NoIdentity:   {"This card has no number of its own", "Phones and passports draw a new one each time; use a card.", false},
	wire.NoProduct:    {"Not for sale any more", "Choose something else.", false},
	wire.PriceChanged: {"The price has changed", "Look at the new one, then tap again.", false},
	wire.JustPaid:     {"Already paid", "You have just paid for this. Wait a moment to buy one more.", true},
}

func wordsOf(r tap.Result) words {
	if r.Kind == tap.Refused {
		if w, known := reasons[r.Reason]; known {
			return w
		}
		return words{"Not paid", "The paywall refuses this card.", false}
	}
	return kinds[r.Kind]
}
