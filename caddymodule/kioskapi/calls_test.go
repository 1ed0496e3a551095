package kioskapi

import (
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// call is something that a kiosk asks for: an address, what is sent there and what is
// answered, as examples.
type call struct {
	path, does string
	asks       any
	answers    any
	open       bool // to everyone, without a token
}

var (
	tapID     = must(wallet.ParseOpID("019a2c3e-5b70-7c1f-8a3d-2f1e0d9c8b7a"))
	plainCard = wire.Card{UID: must(uid.New([]byte{0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6}))}
	coffee    = wire.Product{Name: "coffee", Title: "A coffee", Price: "1.20"}
	key       = make([]byte, 32)
	signature = make([]byte, 64)
)

const (
	sealed = "c2VhbGVkIGJ5IHRoZSBwYXl3YWxs"
	handle = "00112233445566778899aabbccddeeff"
)

// calls are all that a kiosk can ask for.
var calls = []call{
	{
		wire.EnrolPath, "Makes a machine the kiosk that a code of the operator's is for.",
		wire.Enrol{Code: "ABCD-EFGH-JKMN-PQRS", Key: key}, wire.Enrolled{Kiosk: "lobby"}, true,
	},
	{
		wire.StatePath, "Tells how the kiosk is, and answers what there is to buy. To be sent every half minute.",
		wire.State{Version: "v1.4.0", Readers: []wire.Reader{{Name: "ACS ACR1252 00 00"}, {Name: "keyboard", Fault: "unplugged"}}, Backlog: 1, Oldest: 1772366400000},
		wire.Policy{Currency: "EUR", Products: []wire.Product{coffee}, Time: 1772366400000}, false,
	},
	{
		wire.TapPath, "Judges a tap. Where it is granted, the price is set aside until the kiosk captures or releases it, or the hold is over. " +
			"The same tap may be sent again until it is answered: it counts once.",
		wire.Tap{ID: tapID, Product: "coffee", Card: plainCard, Price: "1.20", Exchange: true},
		wire.Verdict{ID: tapID, Outcome: wire.Granted, Product: coffee, Grant: sealed, Expires: 1772366430000}, false,
	},
	{
		wire.CapturePath, "Takes the money of a granted tap: the product has been handed out.",
		wire.Resolve{Grant: sealed}, wire.Resolved{Outcome: "captured", Amount: "1.20"}, false,
	},
	{
		wire.ReleasePath, "Gives the money of a granted tap back: the product has not been handed out.",
		wire.Resolve{Grant: sealed}, wire.Resolved{Outcome: "released", Amount: "1.20"}, false,
	},
	{
		wire.SessionPath, "Asks what has become of a grant that a browser may use for pages.",
		wire.Session{Grant: sealed}, wire.SessionState{Begun: true}, false,
	},
	{
		wire.LeavePath, "Says that a card has gone: what it has opened in a browser ends.",
		wire.Leave{ID: tapID}, struct{}{}, false,
	},
	{
		wire.CardPath, "Asks an issuing kiosk's next command to a card that is personalised or reset.",
		wire.Issue{ID: tapID, Task: wire.Personalise, Kind: card.KindNTAG424, UID: plainCard.UID.Bytes()},
		wire.Issued{ID: tapID, Outcome: wire.Asked, Ask: &wire.Ask{State: sealed, Command: []byte{0x90, 0x5A, 0, 0, 3, 0, 0, 0, 0}}}, false,
	},
	{
		wire.LeasePath, "Sets money of a card aside for taps at this kiosk while the paywall does not answer.",
		wire.LeaseRequest{Ticket: sealed},
		wire.Lease{Handle: handle, Proof: "mutual", Kind: card.KindNTAG424, Key: key, Tap: "2.00", ID: tapID, Amount: "5.00", Until: 1772366400000}, false,
	},
	{
		wire.SyncPath, "Hands over the records of taps that the kiosk has granted by itself, in their order.",
		wire.Sync{Records: []wire.Signed{{Text: []byte("{}"), Signature: signature}}},
		wire.Synced{Head: wire.Head{Seq: 7, Hash: key}, Outcomes: []wire.Outcome{wire.Settled}}, false,
	},
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
