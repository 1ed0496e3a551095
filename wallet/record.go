package wallet

import "time"

// Receipt is a ledger's answer to an operation. Where the Outcome is neither
// Applied nor Replayed, only the fields that describe the wallet as it is
// (Balance, Visits, Until of a Granted one) are set.
type Receipt struct {
	Outcome    Outcome
	ID         OpID      // of the operation that took effect
	Time       time.Time // when it took effect, by the ledger's clock, to the millisecond
	Amount     Amount    // what moved; zero where a visit was taken
	Balance    Amount    // available in the wallet afterwards
	Visit      bool      // a visit of a pass was taken instead of money
	Visits     int       // left in the rule's pass afterwards
	Until      time.Time // end of the grant, pass or hold
	Generation uint32    // of the wallet afterwards: CreateWallet and Rekey
	Serial     uint64    // first serial number: IssueVouchers
}

// Wallet is what a ledger knows of a wallet.
type Wallet struct {
	ID         WalletID
	Available  Amount // can be spent
	Held       Amount // set aside by holds
	Generation uint32 // a credential of an older one is Revoked
	Frozen     bool
	Created    time.Time
	Passes     []Pass // with visits left, by rule
}

// Pass is a bundle's visits.
type Pass struct {
	Rule   string
	Visits int       // left
	Until  time.Time // zero: they do not end
}

// Kind is what an entry did.
type Kind uint8

// The kinds of entry.
const (
	KindCreate   Kind = iota + 1 // the wallet came into being
	KindCharge                   // paid for a view
	KindVisit                    // took a visit of a pass
	KindBuy                      // paid for a bundle
	KindRefund                   // a charge was not delivered
	KindDeliver                  // a charge was delivered
	KindTransfer                 // moved between two accounts
	KindHold
	KindCapture
	KindRelease
	KindRekey
	KindFreeze
	KindIssue // vouchers; in no wallet's entries
	KindRedeem
	KindVoid // a voucher; in no wallet's entries
	KindPut  // a register; in no wallet's entries
)

var kindNames = [...]string{
	KindCreate: "create", KindCharge: "charge", KindVisit: "visit", KindBuy: "bundle",
	KindRefund: "refund", KindDeliver: "deliver", KindTransfer: "transfer",
	KindHold: "hold", KindCapture: "capture", KindRelease: "release",
	KindRekey: "rekey", KindFreeze: "freeze", KindIssue: "issue",
	KindRedeem: "voucher", KindVoid: "void", KindPut: "put",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown"
}

// Entry is one change of a wallet, as the journal keeps it.
type Entry struct {
	ID       OpID
	Time     time.Time // to the millisecond
	Kind     Kind
	Amount   Amount  // change of the available amount: negative where it was spent
	Balance  Amount  // available afterwards
	Visits   int     // change of the visits of the rule's pass
	Rule     string  // where the entry is of a rule
	Resource string  // where the entry is of a resource
	Other    Account // the other side of a transfer; zero else
	Note     string
}

// VoucherState is what a voucher is good for.
type VoucherState uint8

// The states of a voucher.
const (
	VoucherIssued VoucherState = iota + 1
	VoucherRedeemed
	VoucherVoid
	VoucherExpired
)

var voucherStateNames = [...]string{
	VoucherIssued: "issued", VoucherRedeemed: "redeemed", VoucherVoid: "void", VoucherExpired: "expired",
}

func (s VoucherState) String() string {
	if int(s) < len(voucherStateNames) && voucherStateNames[s] != "" {
		return voucherStateNames[s]
	}
	return "unknown"
}

// Voucher is what a ledger knows of a voucher.
type Voucher struct {
	Serial   uint64
	Value    Amount
	State    VoucherState
	Issued   time.Time
	Expires  time.Time // zero: never
	Redeemed time.Time // zero: not yet
	Wallet   WalletID  // that redeemed it
	Note     string
}

// Revenue is what the site earned from one resource, or from the bundles of one
// rule, on one day.
type Revenue struct {
	Day      string // UTC, 2006-01-02
	Rule     string
	Resource string // empty: bundles sold for the rule
	Sales    int    // views, captures and bundles paid for in money, less refunds
	Visits   int    // views paid for by a visit, less refunds
	Amount   Amount // less refunds
}

// Audit is the result of Verify.
type Audit struct {
	Entries     uint64 // read from the journal
	Wallets     int
	Available   Amount // in all wallets
	Held        Amount // in all holds
	Site        Amount // earned
	Funding     Amount // of all funding accounts: never above zero
	Sum         Amount // of every account and hold: zero (invariant 1)
	Differences []Difference
}

// Difference is an account whose balance is not what the journal says.
type Difference struct {
	Account string
	Journal Amount // recomputed
	Ledger  Amount // as the ledger has it
}

// OK reports whether the money adds up.
func (a Audit) OK() bool { return a.Sum == 0 && len(a.Differences) == 0 }
