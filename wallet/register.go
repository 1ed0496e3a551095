package wallet

import (
	"context"
	"fmt"
	"time"
)

// The limits of a register. A Put beyond them is ErrInvalid.
const (
	MaxRegister = 128  // bytes of a register's name
	MaxValue    = 4096 // bytes of its value
)

// Register is a small value with a name that a ledger keeps beside the money, as surely
// as a balance: which card pays from which wallet, say. What it means is for the layer
// above to know.
type Register struct {
	Name  string
	Value string    // never empty
	Put   OpID      // that wrote the value
	Time  time.Time // when it did, to the millisecond
}

// Put writes a register in place of the value that the caller has seen, makes one, or
// removes it.
type Put struct {
	ID       OpID
	Register string // its name
	Before   OpID   // the Put that wrote the value which is replaced; zero: no register is there
	Value    string // empty: the register is removed
}

// Check is as for [Charge.Check].
func (p Put) Check() error {
	if p.Value == "" && p.Before == (OpID{}) {
		return fmt.Errorf("%w: a put that removes a register must say what it replaces", ErrInvalid)
	}
	return firstError(checkText("register", p.Register, 1, MaxRegister), checkText("value", p.Value, 0, MaxValue))
}

// CheckRegisters is as for [Charge.Check], for a listing of registers.
func CheckRegisters(prefix string, limit int) error {
	return firstError(checkText("prefix", prefix, 0, MaxRegister), CheckPage(limit))
}

// RegisterKeeper keeps registers.
type RegisterKeeper interface {
	// Put compares and sets, in one atomic step: Conflict where a register has another
	// value than the caller has seen, and NotFound where it has none any more. Of two
	// Puts in place of the same value one is Applied.
	//
	// An id is remembered as long as its value stands and it is younger than
	// [ChargeMemory]: Replayed with the same value, whatever it replaced, and Conflict
	// with another. An older id is Stale.
	Put(ctx context.Context, p Put) (Receipt, error)

	// Register returns one register, or ErrNotFound.
	Register(ctx context.Context, name string) (Register, error)

	// Registers lists those whose names begin with a prefix, in the order of their
	// bytes, paged like Wallets. A page is as the registers are when it is read.
	Registers(ctx context.Context, prefix, cursor string, limit int) (page []Register, next string, err error)
}
