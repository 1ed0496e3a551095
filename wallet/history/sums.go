package history

import (
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Sums are what a history comes to. They do not change when a hold ends, so that
// they can be compared at different times.
type Sums struct {
	Wallets int
	Money   wallet.Amount // in all wallets and holds
	Site    wallet.Amount // earned
	Funding wallet.Amount // of all funding accounts: never above zero
}

// sumsOf is what an audit found.
func sumsOf(a wallet.Audit) Sums {
	return Sums{Wallets: a.Wallets, Money: a.Available + a.Held, Site: a.Site, Funding: a.Funding}
}

func (s Sums) String() string {
	return fmt.Sprintf("%d wallets with %s, %s earned, funding %s", s.Wallets, s.Money, s.Site, s.Funding)
}

// add adds a deed.
func (s *Sums) add(d Deed) {
	switch op := d.Op.(type) {
	case wallet.CreateWallet:
		s.Wallets++
	case wallet.Charge, wallet.Purchase, wallet.Capture:
		move(&s.Money, &s.Site, d.Amount)
	case wallet.Settlement:
		move(&s.Site, &s.Money, d.Amount)
	case wallet.Redeem:
		move(&s.Funding, &s.Money, d.Amount)
	case wallet.Transfer:
		move(s.of(op.From), s.of(op.To), d.Amount)
	}
}

func move(from, to *wallet.Amount, amount wallet.Amount) {
	*from -= amount
	*to += amount
}

// of is the sum that an account counts in; one that is neither a wallet's, the
// site nor a funding account counts in none.
func (s *Sums) of(a wallet.Account) *wallet.Amount {
	switch {
	case a.IsWallet():
		return &s.Money
	case a == wallet.Site:
		return &s.Site
	case a.IsFunding():
		return &s.Funding
	}
	return new(wallet.Amount)
}
