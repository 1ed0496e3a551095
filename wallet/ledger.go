package wallet

import (
	"context"
	"time"
)

// Ledger keeps the books. Package ledgertest holds the suite that every engine
// passes; package local is the embedded engine.
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
type Ledger interface {
	Charger
	Mover
	Keeper
	VoucherKeeper
	Auditor

	// Close makes everything durable, ends background work and frees the
	// store. Operations under way finish first; later ones answer
	// ErrUnavailable.
	Close() error
}

// Charger sells: the hot path.
type Charger interface {
	// Standing says what a credential could do at a resource now, without
	// changing anything.
	Standing(ctx context.Context, q StandingQuery) (Standing, error)

	// Charge pays for one view in one atomic step: it refuses a revoked or
	// frozen credential, answers Granted where the resource is already paid
	// for, else takes a visit of the rule's pass, else debits the price; then
	// writes the grant and the entry (invariants 2, 4, 7).
	Charge(ctx context.Context, c Charge) (Receipt, error)

	// Buy pays for a bundle: debits the price and adds the visits to the
	// wallet's pass for the rule. A pass bought again adds up, and all its
	// visits end at the later of the two ends.
	Buy(ctx context.Context, p Purchase) (Receipt, error)

	// Settle ends a charge made Ahead: delivered, it stays; not delivered, its
	// price or visit goes back and its grant ends. Spent where the charge was
	// settled before with the other result, NotFound where there is none.
	Settle(ctx context.Context, s Settlement) (Receipt, error)
}

// Mover moves money between accounts and holds it.
type Mover interface {
	// Transfer moves an amount from one account to another. A wallet that
	// gives must not be frozen and its generation must be current; a frozen
	// wallet may receive.
	Transfer(ctx context.Context, t Transfer) (Receipt, error)

	// Hold sets an amount of a wallet aside until Capture, Release, or its
	// time to live has passed. Held money is not available.
	Hold(ctx context.Context, h Hold) (Receipt, error)

	// Capture moves at most the held amount to the site, writes the grant if
	// a resource is named, and returns the rest to the wallet. A hold resolves
	// once: Spent where it was captured, released or has expired.
	Capture(ctx context.Context, c Capture) (Receipt, error)

	// Release returns a hold to its wallet. Spent as for Capture.
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
	// on the last page.
	Wallets(ctx context.Context, cursor string, limit int) (page []Wallet, next string, err error)

	// Entries lists what happened to a wallet, newest first, paged like
	// Wallets. ErrNotFound where there is no such wallet.
	Entries(ctx context.Context, id WalletID, cursor string, limit int) (page []Entry, next string, err error)
}

// VoucherKeeper issues and redeems vouchers. It knows them by digest and by
// serial number, never by code.
type VoucherKeeper interface {
	// IssueVouchers makes one voucher for each digest, at most MaxVouchers,
	// numbered from Receipt.Serial on. Conflict where a digest exists already.
	IssueVouchers(ctx context.Context, i IssueVouchers) (Receipt, error)

	// Redeem moves a voucher's value from funding:voucher to a wallet, once.
	// NotFound, Spent or Void where it cannot.
	Redeem(ctx context.Context, r Redeem) (Receipt, error)

	// VoidVoucher makes an unredeemed voucher worthless. Spent where it has
	// been redeemed.
	VoidVoucher(ctx context.Context, v VoidVoucher) (Receipt, error)

	// Voucher returns one voucher by digest, or ErrNotFound.
	Voucher(ctx context.Context, code Digest) (Voucher, error)

	// Vouchers lists vouchers by serial number, paged like Wallets.
	Vouchers(ctx context.Context, cursor string, limit int) (page []Voucher, next string, err error)
}

// Auditor answers for the books.
type Auditor interface {
	// Report adds up what the site earned from the journal, one row for each
	// UTC day, rule and resource, in that order. from is included, to is not.
	Report(ctx context.Context, from, to time.Time) ([]Revenue, error)

	// Verify recomputes every balance from the journal and compares
	// (invariants 1, 2, 7). It works beside running operations.
	Verify(ctx context.Context) (Audit, error)
}
