package wallet

import (
	"context"
	"time"
)

// Ledger keeps the books. Package ledgertest holds the suite that every engine
// passes; package local is the embedded engine, package redis the distributed one.
//
// Every operation that changes something carries a caller-made [OpID] and
// answers with a [Receipt]; its [Outcome] says what happened. An error means
// that the ledger could not answer: ErrInvalid changed nothing and never will;
// after any other error the outcome is unknown, and the caller retries the
// same id (invariant 6). An operation that answers Applied or Replayed is
// durable before the answer (invariant 5), and an answer never rests on
// something that is not yet durable.
//
// All methods are safe for concurrent use, and each takes effect atomically at
// one instant between call and answer. A context that ends makes a method
// return early with an error wrapping ErrUnavailable and the context's; the
// operation may still take effect.
//
// # How an operation is judged
//
// The first of these that holds is the answer: the error of its Check; a
// context that has ended or a closed ledger, ErrUnavailable; one that has
// stopped, ErrStopped; an id older than the operation's memory, Stale; an id that
// is remembered, Replayed or Conflict; an id of the future, Stale; NotFound;
// Revoked; Frozen; Granted, Spent, Void, or Conflict with what is there;
// Insufficient; Limit. Only Charge, Buy, Hold and a Transfer from a wallet ask
// for a credential and can be Revoked or Frozen; every generation but the
// wallet's current one is Revoked, zero too.
//
// The content that a retry must repeat is every field but the ID, times and
// durations to the millisecond; an operation of another kind is other content.
//
// An id is remembered with the wallet that the operation is about, whose Balance
// the receipt has; vouchers issued or voided are about none and share one memory.
// A Put is remembered by its register alone.
// An engine may also see the id in operations about other wallets and answer
// Conflict; else the same id for another wallet is another operation.
//
// # Time
//
// A ledger counts whole milliseconds: it cuts off the rest of its clock's time
// and of every time and duration it is given. An end is the first instant at
// which a thing is over: a grant, pass, hold or voucher that ends at noon is
// good before noon and not at noon.
//
// # Receipts
//
// Conflict, Stale, NotFound and Revoked come alone. Every other receipt has the
// Balance of the operation's wallet: of a Transfer the wallet that gives, else
// the one that receives; of vouchers issued or voided and of a Put none. Those of Charge,
// Buy and Settle also have the Visits. Amount is what moved: of Release all
// that was held, of Capture what the site got, of Settle what went back. Until
// is the end of the grant after Charge, Capture and Settle, of the pass after
// Buy, of the hold after Hold; zero where there is none.
//
// No balance passes MaxAmount, or falls below its negative where the account is
// a funding one: Limit. For a wallet what it holds counts too, so that a hold
// can always come back.
type Ledger interface {
	Charger
	Mover
	Keeper
	VoucherKeeper
	RegisterKeeper
	Auditor

	// Close makes everything durable, ends background work and frees the
	// store, also of a ledger that has stopped, where it returns why.
	// Operations under way finish first; later ones answer ErrUnavailable, and a
	// second Close does nothing and returns nil.
	Close() error
}

// Charger sells: the hot path.
type Charger interface {
	// Standing says what a credential could do at a resource now, without
	// changing anything. A rule or resource too long for a Charge is none that
	// anybody has paid for.
	Standing(ctx context.Context, q StandingQuery) (Standing, error)

	// Charge pays for one view in one atomic step: it refuses a revoked or
	// frozen credential, answers Granted where the resource is already paid
	// for, else takes a visit of the rule's pass, else debits the price; then
	// writes the grant and the entry (invariants 2, 4, 7). A grant is of a
	// wallet and a resource, under whatever rule it was paid for.
	Charge(ctx context.Context, c Charge) (Receipt, error)

	// Buy pays for a bundle: debits the price and adds the visits to the
	// wallet's pass for the rule. A pass bought again adds up, and all its
	// visits end at the later of the two ends; one without visits left has no
	// end to hand on. Limit where it would pass MaxVisits.
	Buy(ctx context.Context, p Purchase) (Receipt, error)

	// Settle ends a charge: delivered, it stays; not delivered, its price or
	// visit goes back and its grant ends, unless a capture has paid for the
	// resource too. A visit goes back to the rule's pass as it is now, and is
	// lost where that has ended. Insufficient where the site no longer has the
	// price, Limit where the wallet or pass is full. Spent where the charge was
	// settled before by another id, with either result, named or not. A charge
	// that nobody settles stays.
	//
	// With a Charge id it ends that charge, made Ahead or not, until the id's
	// ChargeMemory is over. The grant may have ended before, and another charge
	// have paid for the resource since: that one's grant stays. NotFound where no
	// charge of that id, wallet and resource is remembered; a capture is none.
	//
	// Without one it ends the charge made Ahead that has paid for the resource.
	// NotFound where there is none: it is known until its grant's end, a refunded
	// one at most until the resource is paid for again.
	Settle(ctx context.Context, s Settlement) (Receipt, error)
}

// Mover moves money between accounts and holds it.
type Mover interface {
	// Transfer moves an amount from one account to another. A wallet that
	// gives must not be frozen and its generation must be current; a frozen
	// wallet may receive. Insufficient where an account that gives has less and
	// is not a funding account.
	Transfer(ctx context.Context, t Transfer) (Receipt, error)

	// Hold sets an amount of a wallet aside until Capture, Release, or its
	// time to live has passed. Held money is not available. A hold that expires
	// is back at its end, and every answer from then on shows it, with a
	// KindRelease entry of that time under the hold's id; several of one wallet
	// come back by end and then by id.
	Hold(ctx context.Context, h Hold) (Receipt, error)

	// Capture moves at most the held amount to the site, writes the grant if
	// a resource is named, and returns the rest to the wallet. A hold resolves
	// once: Spent where it was captured, released or has expired. NotFound
	// where it is another wallet's, or its time to live ended more than
	// ChargeMemory ago. Insufficient where less is held. The money was spent
	// when it was set aside, so a freeze or revocation since then does not stop
	// it. A grant that is there already keeps the later end.
	Capture(ctx context.Context, c Capture) (Receipt, error)

	// Release returns a hold to its wallet. Spent and NotFound as for Capture.
	Release(ctx context.Context, r Release) (Receipt, error)
}

// Keeper keeps wallets and who may open them.
type Keeper interface {
	// CreateWallet makes an empty wallet of generation 1. Conflict where the
	// wallet or its recovery digest exists already.
	CreateWallet(ctx context.Context, c CreateWallet) (Receipt, error)

	// Rekey gives a wallet a new recovery digest; the old one opens nothing
	// any more. With Revoke it also starts the next generation, and every
	// older credential is Revoked from the acknowledgement on (invariant 8).
	// Conflict where the digest is another wallet's.
	Rekey(ctx context.Context, r Rekey) (Receipt, error)

	// Freeze stops a wallet from spending, or lets it spend again. A frozen
	// wallet still receives, and still reads what it has paid for.
	Freeze(ctx context.Context, f Freeze) (Receipt, error)

	// Wallet returns one wallet, or ErrNotFound.
	Wallet(ctx context.Context, id WalletID) (Wallet, error)

	// WalletByRecovery returns the wallet that a recovery digest opens, or
	// ErrNotFound.
	WalletByRecovery(ctx context.Context, recovery Digest) (Wallet, error)

	// Wallets lists wallets in order of creation, at most limit (1 to
	// MaxPage). cursor is empty or the next of an earlier page; next is empty
	// on the last page. Any other cursor, one of another listing too, is
	// ErrInvalid.
	Wallets(ctx context.Context, cursor string, limit int) (page []Wallet, next string, err error)

	// Entries lists what happened to a wallet, newest first, paged like
	// Wallets. ErrNotFound where there is no such wallet. A transfer between
	// wallets is an entry in each. A capture's Amount is what came back of the
	// hold. A Rule and Resource are those of the operation, of Settle those of
	// the charge; Other is set in a transfer alone, a Note in a transfer or a
	// freeze.
	Entries(ctx context.Context, id WalletID, cursor string, limit int) (page []Entry, next string, err error)
}

// VoucherKeeper issues and redeems vouchers. It knows them by digest and by
// serial number, never by code.
type VoucherKeeper interface {
	// IssueVouchers makes one voucher for each digest, at most MaxVouchers,
	// numbered from Receipt.Serial on, the first ever 1. Conflict where a
	// digest exists already.
	IssueVouchers(ctx context.Context, i IssueVouchers) (Receipt, error)

	// Redeem moves a voucher's value from funding:voucher to a wallet, once.
	// NotFound, Spent or Void where it cannot. A frozen wallet may receive.
	Redeem(ctx context.Context, r Redeem) (Receipt, error)

	// VoidVoucher makes an unredeemed voucher worthless. Spent where it has
	// been redeemed, Void where it is worthless already. A note replaces the
	// issue's.
	VoidVoucher(ctx context.Context, v VoidVoucher) (Receipt, error)

	// Voucher returns one voucher by digest, or ErrNotFound.
	Voucher(ctx context.Context, code Digest) (Voucher, error)

	// Vouchers lists vouchers by serial number, paged like Wallets.
	Vouchers(ctx context.Context, cursor string, limit int) (page []Voucher, next string, err error)
}

// Auditor answers for the books.
type Auditor interface {
	// Report adds up what the site earned from the journal, one row for each
	// UTC day, rule and resource, in that order. from is included, to is not. A
	// refund counts on its own day, which may bring a row below zero; a row of
	// nothing but zeros stays. A capture without a resource counts with the
	// bundles of its rule.
	Report(ctx context.Context, from, to time.Time) ([]Revenue, error)

	// Verify recomputes every balance from the journal and compares
	// (invariants 1, 2, 7). It works beside running operations.
	Verify(ctx context.Context) (Audit, error)
}
