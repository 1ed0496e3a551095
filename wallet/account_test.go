package wallet

import (
	"errors"
	"testing"
)

func TestAnAccountIsAWalletsOrHasAName(t *testing.T) {
	id := must(NewWalletID(seeded(1)))(t)
	for _, c := range []struct {
		account         Account
		text            string
		wallet, funding bool
	}{
		{WalletAccount(id), "wallet:" + id.String(), true, false},
		{Site, "site", false, false},
		{FundingVoucher, "funding:voucher", false, true},
		{FundingOperator, "funding:operator", false, true},
		{Account{Name: "funding:x"}, "funding:x", false, true},
		// Only a funding account with a provider may go negative (invariant 2).
		{Account{Name: "funding:"}, "funding:", false, false},
		{Account{Name: "funding"}, "funding", false, false},
		{Account{Name: "Funding:x"}, "Funding:x", false, false},
		{Account{Name: "site:funding:x"}, "site:funding:x", false, false},
	} {
		if got := c.account.String(); got != c.text {
			t.Errorf("%q is written %q", c.text, got)
		}
		if got := c.account.IsWallet(); got != c.wallet {
			t.Errorf("%s is a wallet's: %t, want %t", c.text, got, c.wallet)
		}
		if got := c.account.IsFunding(); got != c.funding {
			t.Errorf("%s may be negative: %t, want %t", c.text, got, c.funding)
		}
	}
}

func TestAccountsAreEqualByWhatTheyAre(t *testing.T) {
	id, other := must(NewWalletID(seeded(1)))(t), must(NewWalletID(seeded(2)))(t)
	if WalletAccount(id) != WalletAccount(id) || WalletAccount(id) == WalletAccount(other) || WalletAccount(id) == Site {
		t.Error("accounts do not compare as what they are")
	}
}

// An account named like a wallet's could not be told from it in a report of
// differences.
func TestAnAccountIsNeverTakenForAnother(t *testing.T) {
	id := WalletID{1}
	disguised := Account{Name: WalletAccount(id).String()}
	for _, transfer := range []Transfer{
		{From: disguised, To: WalletAccount(id), Amount: 1},
		{From: WalletAccount(id), To: disguised, Amount: 1},
		{From: WalletAccount(id), To: Account{Name: Site.Name, Wallet: WalletID{2}}, Amount: 1},
	} {
		if err := transfer.Check(); !errors.Is(err, ErrInvalid) {
			t.Errorf("a transfer from %s to %s: %v, want ErrInvalid", transfer.From, transfer.To, err)
		}
	}
}
