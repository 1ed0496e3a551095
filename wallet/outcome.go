package wallet

import (
	"errors"
	"fmt"
)

// Outcome is a ledger's answer to an operation. Only Applied and Replayed mean
// that the operation has taken effect; every other outcome changed nothing. An
// outcome that changed nothing is not remembered: the same id may be tried
// again, and a wallet that was short may have been filled since.
type Outcome uint8

const (
	// Applied: the operation took effect now.
	Applied Outcome = iota + 1
	// Replayed: this id took effect before, with the same content. The rest of
	// the receipt is the first one's.
	Replayed
	// Granted: the resource is already paid for; no money moved.
	Granted
	// Insufficient: the wallet's available amount, or the visits of its pass,
	// do not cover it.
	Insufficient
	// Conflict: this id took effect before with other content.
	Conflict
	// Frozen: the wallet is frozen by the operator.
	Frozen
	// Revoked: the credential is of a generation that has been revoked.
	Revoked
	// NotFound: no such wallet, voucher, hold or charge.
	NotFound
	// Spent: the voucher, hold or charge has been redeemed, resolved or
	// delivered before.
	Spent
	// Void: the voucher was voided or has expired.
	Void
	// Stale: the id is older than the ledger's memory, or of the future.
	Stale
	// Limit: a balance would pass MaxAmount, or a limit of this package.
	Limit
)

var outcomeNames = [...]string{
	Applied: "applied", Replayed: "replayed", Granted: "granted",
	Insufficient: "insufficient", Conflict: "conflict", Frozen: "frozen",
	Revoked: "revoked", NotFound: "not found", Spent: "spent", Void: "void",
	Stale: "stale", Limit: "limit",
}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) && outcomeNames[o] != "" {
		return outcomeNames[o]
	}
	return "unknown"
}

// Done reports whether the operation has taken effect, now or before.
func (o Outcome) Done() bool { return o == Applied || o == Replayed }

// The errors of a ledger. An error says that the ledger cannot answer; an
// answer, even a refusal, is an [Outcome].
var (
	// ErrInvalid: the operation breaks a limit that its documentation names.
	// Nothing changed, and the same operation will fail again.
	ErrInvalid = errors.New("invalid ledger operation")

	// ErrNotFound: a look-up found nothing.
	ErrNotFound = errors.New("not found in the ledger")

	// ErrUnavailable: the ledger cannot answer now. What became of the
	// operation is unknown: retry the same id (invariant 6).
	ErrUnavailable = errors.New("ledger unavailable")

	// ErrStopped: the ledger could not make something durable and has stopped.
	// Every method answers so until the ledger is closed, which frees all that
	// it had, and opened again. The new one finds out what became of the
	// operations under way: retry the same id. An ErrStopped is an
	// ErrUnavailable.
	ErrStopped = fmt.Errorf("%w: it has stopped and must be opened again", ErrUnavailable)

	// ErrInUse: another process holds the ledger.
	ErrInUse = errors.New("ledger in use by another process")

	// ErrCorrupt: what the ledger reads back is not what it wrote. It serves
	// nothing until an operator has looked.
	ErrCorrupt = errors.New("ledger corrupt")
)
