package wallet

// Account is one side of a transfer. A wallet's account is the wallet's id;
// every other account has a name: "site" earns what pages cost, and a
// "funding:<provider>" account is where money comes from. Only funding
// accounts may be negative: their sum is the money outside.
type Account struct {
	Wallet WalletID // of a wallet's account; else zero
	Name   string   // of any other account; else empty
}

// The accounts of this package's own operations.
var (
	Site            = Account{Name: "site"}
	FundingVoucher  = Account{Name: "funding:voucher"}
	FundingOperator = Account{Name: "funding:operator"}
)

// WalletAccount is the account of a wallet.
func WalletAccount(id WalletID) Account { return Account{Wallet: id} }

// IsWallet reports whether the account is a wallet's.
func (a Account) IsWallet() bool { return a.Name == "" }

func (a Account) ambiguous() bool { return a.Name != "" && a.Wallet != (WalletID{}) }

// IsFunding reports whether the account may be negative.
func (a Account) IsFunding() bool {
	return len(a.Name) > len(fundingPrefix) && a.Name[:len(fundingPrefix)] == fundingPrefix
}

const (
	fundingPrefix = "funding:"
	walletPrefix  = "wallet:" // how a wallet's account is written; no name begins so
)

func (a Account) String() string {
	if a.IsWallet() {
		return walletPrefix + a.Wallet.String()
	}
	return a.Name
}
