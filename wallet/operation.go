package wallet

import (
	"fmt"
	"strings"
	"time"
)

// The limits of an operation. One beyond them is ErrInvalid.
const (
	MaxRule     = 128                  // bytes of a rule's name
	MaxResource = 512                  // bytes of a resource
	MaxNote     = 256                  // bytes of a note
	MaxAccount  = 64                   // bytes of an account's name
	MaxWindow   = 400 * 24 * time.Hour // of a grant
	MinWindow   = time.Second          // of a grant
	MaxHold     = 30 * 24 * time.Hour  // of a hold
	MaxValidity = 3660 * 24 * time.Hour
	MaxVisits   = 1_000_000 // of a bundle, and of a pass
	MaxVouchers = 1000      // issued in one operation
	MaxPage     = 1000      // items of one page
)

// How long a ledger remembers an operation id, counted from the id's own time
// to the ledger's clock, even if its store could answer for longer. An older
// one is Stale, and so is one more than MaxClockSkew in the future.
const (
	ChargeMemory = time.Hour          // Charge, Buy, Settle, Hold, Capture, Release
	MoneyMemory  = 7 * 24 * time.Hour // every other operation
	MaxClockSkew = 5 * time.Minute
)

// StandingQuery asks what a credential could do at a resource.
type StandingQuery struct {
	Wallet     WalletID
	Generation uint32 // the credential's; zero asks for the wallet's current one
	Rule       string // whose pass may cover it
	Resource   string
}

// Standing is the answer to a StandingQuery. Where Credential is Revoked or
// NotFound the rest is zero; a Frozen wallet shows the rest.
type Standing struct {
	Credential   Outcome   // Applied: may spend; else Frozen, Revoked or NotFound
	Available    Amount    // what can be spent
	GrantedUntil time.Time // zero: the resource is not paid for
	Ahead        bool      // the grant was paid ahead and is not settled yet
	Visits       int       // left in the rule's pass
	VisitsUntil  time.Time // end of those visits; zero: none
}

// Charge pays for one view of a resource.
type Charge struct {
	ID         OpID
	Wallet     WalletID
	Generation uint32
	Rule       string
	Resource   string
	Price      Amount        // zero: not sold singly, only a visit will do
	Window     time.Duration // how long the grant lasts
	Ahead      bool          // paid before the page is known to exist; see Settle
}

// Purchase pays for a bundle of visits.
type Purchase struct {
	ID         OpID
	Wallet     WalletID
	Generation uint32
	Rule       string
	Price      Amount
	Visits     int
	Validity   time.Duration // zero: the visits do not end
}

// Settlement ends a charge.
type Settlement struct {
	ID        OpID
	Wallet    WalletID
	Resource  string
	Charge    OpID // the charge's id; zero: the one made Ahead that paid for the resource
	Delivered bool
}

// Transfer moves money between two accounts, of which one at least is a
// wallet's.
type Transfer struct {
	ID         OpID
	From, To   Account
	Generation uint32 // of the credential, where From is a wallet's
	Amount     Amount
	Note       string
}

// Hold sets money aside. Its ID names the hold from then on.
type Hold struct {
	ID         OpID
	Wallet     WalletID
	Generation uint32
	Amount     Amount
	TTL        time.Duration // released by itself after it
}

// Capture takes held money.
type Capture struct {
	ID       OpID
	Wallet   WalletID
	Hold     OpID
	Amount   Amount // at most the held amount
	Rule     string
	Resource string        // empty: no grant
	Window   time.Duration // of the grant
}

// Release gives held money back.
type Release struct {
	ID     OpID
	Wallet WalletID
	Hold   OpID
}

// CreateWallet makes an empty wallet.
type CreateWallet struct {
	ID       OpID
	Wallet   WalletID
	Recovery Digest // zero: the wallet cannot be recovered
}

// Rekey changes who may open a wallet.
type Rekey struct {
	ID       OpID
	Wallet   WalletID
	Recovery Digest // zero: the wallet cannot be recovered
	Revoke   bool   // also start the next generation
}

// Freeze stops a wallet from spending.
type Freeze struct {
	ID     OpID
	Wallet WalletID
	Frozen bool // false: let it spend again
	Note   string
}

// IssueVouchers makes vouchers of one value.
type IssueVouchers struct {
	ID      OpID
	Value   Amount
	Expires time.Time // zero: never
	Note    string
	Digests []Digest
}

// Redeem turns a voucher into balance.
type Redeem struct {
	ID     OpID
	Wallet WalletID
	Code   Digest
}

// VoidVoucher makes a voucher worthless.
type VoidVoucher struct {
	ID     OpID
	Serial uint64
	Note   string
}

// Check returns nil or an error wrapping ErrInvalid that names the limit the
// operation breaks. Engines call it first, so that all refuse alike.
func (c Charge) Check() error {
	return firstError(
		checkText("rule", c.Rule, 1, MaxRule), checkText("resource", c.Resource, 1, MaxResource),
		checkAmount(c.Price, 0), checkDuration("window", c.Window, MinWindow, MaxWindow))
}

// Check is as for [Charge.Check].
func (p Purchase) Check() error {
	return firstError(
		checkText("rule", p.Rule, 1, MaxRule), checkAmount(p.Price, 1),
		checkCount("visits", p.Visits, MaxVisits), checkValidity(p.Validity))
}

// Check is as for [Charge.Check].
func (s Settlement) Check() error { return checkText("resource", s.Resource, 1, MaxResource) }

// Check is as for [Charge.Check].
func (t Transfer) Check() error {
	switch {
	case t.From == t.To:
		return fmt.Errorf("%w: a transfer from %s to itself", ErrInvalid, t.From)
	case t.From.ambiguous() || t.To.ambiguous():
		return fmt.Errorf("%w: an account is a wallet's or has a name, not both", ErrInvalid)
	case !t.From.IsWallet() && !t.To.IsWallet():
		return fmt.Errorf("%w: a transfer between %s and %s touches no wallet", ErrInvalid, t.From, t.To)
	case strings.HasPrefix(t.From.Name, walletPrefix) || strings.HasPrefix(t.To.Name, walletPrefix):
		return fmt.Errorf("%w: an account's name must not begin with %s", ErrInvalid, walletPrefix)
	}
	return firstError(
		checkText("account", t.From.Name, 0, MaxAccount), checkText("account", t.To.Name, 0, MaxAccount),
		checkAmount(t.Amount, 1), checkText("note", t.Note, 0, MaxNote))
}

// Check is as for [Charge.Check].
func (h Hold) Check() error {
	return firstError(checkAmount(h.Amount, 1), checkDuration("time to live", h.TTL, MinWindow, MaxHold))
}

// Check is as for [Charge.Check].
func (c Capture) Check() error {
	if c.Resource == "" {
		return firstError(checkText("rule", c.Rule, 1, MaxRule), checkAmount(c.Amount, 1))
	}
	return firstError(
		checkText("rule", c.Rule, 1, MaxRule), checkText("resource", c.Resource, 1, MaxResource),
		checkAmount(c.Amount, 1), checkDuration("window", c.Window, MinWindow, MaxWindow))
}

// Check is as for [Charge.Check].
func (f Freeze) Check() error { return checkText("note", f.Note, 0, MaxNote) }

// Check is as for [Charge.Check].
func (i IssueVouchers) Check() error {
	seen := make(map[Digest]bool, len(i.Digests))
	for _, d := range i.Digests {
		if d == (Digest{}) || seen[d] {
			return fmt.Errorf("%w: voucher digests must be distinct and not zero", ErrInvalid)
		}
		seen[d] = true
	}
	return firstError(checkAmount(i.Value, 1), checkText("note", i.Note, 0, MaxNote),
		checkCount("vouchers", len(i.Digests), MaxVouchers))
}

// Check is as for [Charge.Check].
func (v VoidVoucher) Check() error { return checkText("note", v.Note, 0, MaxNote) }

// CheckPage is as for [Charge.Check], for the limit of a page.
func CheckPage(limit int) error { return checkCount("page", limit, MaxPage) }

func checkText(what, s string, least, most int) error {
	if len(s) < least || len(s) > most {
		return fmt.Errorf("%w: %s of %d bytes, must be %d to %d", ErrInvalid, what, len(s), least, most)
	}
	return nil
}

func checkAmount(a, least Amount) error {
	if a < least || a > MaxAmount {
		return fmt.Errorf("%w: amount %s, must be %s to %s", ErrInvalid, a, least, MaxAmount)
	}
	return nil
}

func checkDuration(what string, d, least, most time.Duration) error {
	if d < least || d > most {
		return fmt.Errorf("%w: %s %v, must be %v to %v", ErrInvalid, what, d, least, most)
	}
	return nil
}

// checkValidity lets none through, and otherwise at least a second: what is
// shorter than the ledger's clock tells would be cut to none, which is for ever.
func checkValidity(d time.Duration) error {
	if d == 0 {
		return nil
	}
	return checkDuration("validity", d, MinWindow, MaxValidity)
}

func checkCount(what string, n, most int) error {
	if n < 1 || n > most {
		return fmt.Errorf("%w: %d %s, must be 1 to %d", ErrInvalid, n, what, most)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
