package local

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// record is one change of the books: what the journal keeps, what apply carries
// out, and what receipts and entries are made of. It holds what came of the
// operation and not what was asked, so that folding it needs no judgement.
type record struct {
	kind    wallet.Kind
	flags   flags
	id      wallet.OpID // of an expired hold's release, the hold's
	time    int64       // of the change, milliseconds since 1970
	content uint64      // hash of what was asked; see contentHash

	wallet   wallet.WalletID // whose entry it is; of a transfer the giver, if a wallet
	prev     uint64          // position of that wallet's entry before; zero: none
	amount   wallet.Amount   // what moved
	balance  wallet.Amount   // available in the wallet afterwards
	until    int64           // end of the grant, pass, hold or voucher; zero: none
	visits   uint64          // in the rule's pass afterwards
	rule     string
	resource string
	bought   uint64        // visits of a bundle
	held     wallet.Amount // of the hold that a capture or release ends
	ends     wallet.OpID   // hold that a capture or release ends; charge that a settlement does; put that a put replaces
	note     string

	account      string          // the other side of a transfer: an account with a name
	other        wallet.WalletID // or a wallet
	otherPrev    uint64          // position of its entry before
	otherBalance wallet.Amount   // available in it afterwards

	recovery   wallet.Digest // of a wallet made or rekeyed
	generation uint32        // of the wallet afterwards
	serial     uint64        // of a voucher; the first of those issued
	digests    []wallet.Digest
	register   string // its name
	value      string // of it; empty: it is gone

	// The journal keeps these in place of the wallet and the rule. For a record
	// read from it, state.resolve fills in what it stands for.
	walletAt  uint32 // index of wallet
	ruleAt    uint32 // number of the rule
	ruleKnown bool   // the rule has been named before, and its number will do

	// What follows is not kept: apply needs it, and whoever makes a record for
	// apply fills it in.
	otherAt uint32 // index of other
	key     resourceKey
}

// flags are the yes-or-no parts of a record.
type flags uint8

const (
	flagAhead    flags = 1 << iota // a charge that Settle will end
	flagVisit                      // a refund gave a visit back, or lost it
	flagRestored                   // and did not lose it
	flagFrozen                     // the wallet is frozen from now on
	flagIncoming                   // the named account gave, and the wallet received
	flagExpired                    // a hold's time had come; nobody asked
	flagBetween                    // a transfer between two wallets
	flagPast                       // a settlement of a charge that the grant is not of, or no longer
	flagsKnown   = flagAhead | flagVisit | flagRestored | flagFrozen | flagIncoming | flagExpired | flagBetween | flagPast
)

func (r *record) has(f flags) bool { return r.flags&f != 0 }

// hasWallet reports whether the record is an entry of a wallet.
func (r *record) hasWallet() bool {
	return r.kind != wallet.KindIssue && r.kind != wallet.KindVoid && r.kind != wallet.KindPut
}

// receipt is the answer to the operation that the record is of. It depends on
// the record alone, so that a replay gets the first answer back.
func (r *record) receipt(o wallet.Outcome) wallet.Receipt {
	receipt := wallet.Receipt{
		Outcome: o, ID: r.id, Time: timeOf(r.time),
		Amount: r.amount, Balance: r.balance, Until: timeOf(r.until),
		Generation: r.generation, Visits: int(r.visits),
	}
	switch r.kind {
	case wallet.KindVisit:
		receipt.Visit = true
	case wallet.KindRefund:
		receipt.Visit = r.has(flagVisit)
	case wallet.KindIssue:
		receipt.Serial = r.serial
		receipt.Amount, receipt.Until = 0, time.Time{}
	}
	return receipt
}

// entry is what the record did to the wallet whose chain led to it: its own, or
// the one that received.
func (r *record) entry(of wallet.WalletID) wallet.Entry {
	e := wallet.Entry{
		ID: r.id, Time: timeOf(r.time), Kind: r.kind, Amount: r.change(), Balance: r.balance,
		Rule: r.rule, Resource: r.resource, Note: r.note,
	}
	switch r.kind {
	case wallet.KindVisit:
		e.Visits = -1
	case wallet.KindBuy:
		e.Visits = int(r.bought)
	case wallet.KindRefund:
		if r.has(flagRestored) {
			e.Visits = 1
		}
	case wallet.KindTransfer:
		e.Other = wallet.Account{Wallet: r.other, Name: r.account}
		if of != r.wallet {
			e.Amount, e.Balance, e.Other = r.amount, r.otherBalance, wallet.WalletAccount(r.wallet)
		}
	}
	return e
}

// change is what the record did to the available amount of its wallet.
func (r *record) change() wallet.Amount {
	switch r.kind {
	case wallet.KindCharge, wallet.KindBuy, wallet.KindHold:
		return -r.amount
	case wallet.KindRefund, wallet.KindRelease, wallet.KindRedeem:
		return r.amount
	case wallet.KindCapture:
		return r.held - r.amount
	case wallet.KindTransfer:
		if r.has(flagIncoming) {
			return r.amount
		}
		return -r.amount
	}
	return 0
}

// Times are milliseconds since 1970 inside the ledger, and zero is no time.

// millis cuts t to the millisecond. The first instant of 1970 becomes the next
// one, since zero is taken.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if ms := t.UnixMilli(); ms != 0 {
		return ms
	}
	return 1
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// over reports whether an end has come; no end never does.
func over(end, now int64) bool { return end != 0 && end <= now }

// laterEnd is the later of two ends, of which zero never comes.
func laterEnd(a, b int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}
