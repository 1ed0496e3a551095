package local

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// interrupted is a disk that does something else first when a file is opened.
type interrupted struct {
	*disk
	by func()
}

func (i *interrupted) Open(name string) (file, error) {
	if by := i.by; by != nil {
		i.by = nil
		by()
	}
	return i.disk.Open(name)
}

// Between the reading of a charge and the decision on it others may settle it
// and pay again. Then there is another charge to settle (invariant 3).
func TestASettlementEndsTheChargeThatIsThereWhenItTakesEffect(t *testing.T) {
	ctx := context.Background()
	d := &interrupted{disk: newDisk(rand.New(rand.NewPCG(1, 1)))}
	l, err := openOn(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	charge := wallet.Charge{
		Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a", Price: 5, Window: time.Hour, Ahead: true,
	}
	again := charge
	charge.ID, again.ID, again.Price = newID(), newID(), 7
	refund := wallet.Settlement{ID: newID(), Wallet: w, Resource: "news:/a"}
	done(t)(l.Charge(ctx, charge))
	d.by = func() {
		other := refund
		other.ID = newID()
		done(t)(l.Settle(ctx, other))
		done(t)(l.Charge(ctx, again))
	}
	r, err := l.Settle(ctx, refund)
	if err != nil || r.Outcome != wallet.Applied || r.Amount != 7 || r.Balance != wallet.Unit || !r.Until.IsZero() {
		t.Errorf("%+v, %v; want the second charge's refund", r, err)
	}
	sameBooks(t, l)
	ledgertest.AssertConserved(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A clock that was wrong for a while and is put back must not make a settled
// charge one that can be settled (invariant 3).
func TestAChargeWhoseSettlementIsForgottenIsForgottenToo(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	l, err := openOn(newDisk(rand.New(rand.NewPCG(1, 1))), Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	w := ledgertest.NewWallet(t, l, clock, wallet.Unit)
	charge := wallet.Charge{
		ID: ledgertest.NewID(t, clock), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a", Price: 5, Window: time.Second,
	}
	refund := wallet.Settlement{ID: ledgertest.NewID(t, clock), Wallet: w, Resource: "news:/a", Charge: charge.ID}
	done(t)(l.Charge(ctx, charge))
	done(t)(l.Settle(ctx, refund))
	now = now.Add(time.Minute) // an id of the same bucket that lives longer
	ledgertest.Fund(t, l, clock, w, 1)
	l.mu.Lock()
	l.state.forget(now.Add(wallet.ChargeMemory-30*time.Second).UnixMilli(), 0)
	l.mu.Unlock()
	refund.ID = ledgertest.NewID(t, clock)
	if r, err := l.Settle(ctx, refund); err != nil || r.Outcome != wallet.NotFound {
		t.Fatalf("invariant 3: a second refund answers %+v, %v; want not found", r, err)
	}
	ledgertest.AssertConserved(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
