package redis

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// walletIn creates a wallet in a shard, with an amount in it.
func walletIn(t testing.TB, l *Ledger, shard int, amount wallet.Amount) wallet.WalletID {
	t.Helper()
	id := wallet.WalletID(ledgertest.NewID(t, time.Now))
	for shardOf(id, len(l.shards)) != shard {
		id = wallet.WalletID(ledgertest.NewID(t, time.Now))
	}
	applied(t)(l.CreateWallet(t.Context(), wallet.CreateWallet{ID: ledgertest.NewID(t, l.now), Wallet: id}))
	if amount > 0 {
		ledgertest.Fund(t, l, l.now, id, amount)
	}
	return id
}

// What the site has earned in one shard is paid out to a wallet of another, and refunds
// find their money again (invariants 1, 2).
func TestRevenueGoesWhereItIsWanted(t *testing.T) {
	l := openOn(t, Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 4}, nil)
	reader, author := walletIn(t, l, 1, wallet.Unit), walletIn(t, l, 3, 0)
	var charges []wallet.Charge
	for i := range 10 {
		c := wallet.Charge{
			ID: ledgertest.NewID(t, l.now), Wallet: reader, Generation: 1, Rule: "news", Resource: fmt.Sprintf("news:/%d", i),
			Price: wallet.Unit / 10, Window: time.Hour,
		}
		applied(t)(l.Charge(t.Context(), c))
		charges = append(charges, c)
	}
	if err := l.settleRevenue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if parts := siteParts(t, l); parts[0] != wallet.Unit || parts[1] != 0 {
		t.Errorf("after revenue was settled the parts are %v", parts)
	}
	ahead := wallet.Charge{
		ID: ledgertest.NewID(t, l.now), Wallet: walletIn(t, l, 2, wallet.Unit), Generation: 1, Rule: "news", Resource: "news:/ahead",
		Price: wallet.Unit / 10, Window: time.Hour, Ahead: true,
	}
	applied(t)(l.Charge(t.Context(), ahead))
	if err := l.settleRevenue(t.Context()); err != nil {
		t.Fatal(err)
	}
	applied(t)(l.Settle(t.Context(), wallet.Settlement{ // by its resource alone: what it cost, the shard knows
		ID: ledgertest.NewID(t, l.now), Wallet: ahead.Wallet, Resource: ahead.Resource,
	}))
	pay := wallet.Transfer{
		ID: ledgertest.NewID(t, l.now), From: wallet.Site, To: wallet.WalletAccount(author), Amount: wallet.Unit / 2,
	}
	applied(t)(l.Transfer(t.Context(), pay))
	for _, c := range charges[:5] {
		applied(t)(l.Settle(t.Context(), wallet.Settlement{
			ID: ledgertest.NewID(t, l.now), Wallet: reader, Resource: c.Resource, Charge: c.ID,
		}))
	}
	r, err := l.Settle(t.Context(), wallet.Settlement{
		ID: ledgertest.NewID(t, l.now), Wallet: reader, Resource: charges[5].Resource, Charge: charges[5].ID,
	})
	if err != nil || r.Outcome != wallet.Insufficient {
		t.Errorf("invariant 2: a refund of what the site no longer has answers %v, %v", r.Outcome, err)
	}
	ledgertest.AssertConserved(t, l)
}

func siteParts(t *testing.T, l *Ledger) (parts []wallet.Amount) {
	t.Helper()
	for _, s := range l.shards {
		b := liveBooks{accounts: make(map[string]wallet.Amount)}
		if err := b.readAccounts(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b.accounts[wallet.Site.Name])
	}
	return parts
}

// A parcel arrives once, whoever brings it and however often (invariants 1, 3).
func TestAParcelArrivesOnce(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 2}
	l, other := openOn(t, o, nil), openOn(t, o, nil)
	giver, receiver := walletIn(t, l, 0, wallet.Unit), walletIn(t, l, 1, 0)
	pay := wallet.Transfer{
		ID: ledgertest.NewID(t, l.now), From: wallet.WalletAccount(giver), To: wallet.WalletAccount(receiver), Generation: 1, Amount: wallet.Unit,
	}
	from, to := l.shards[0], l.shards[1]
	a, err := from.ask(t.Context(), transferQuestion(&pay, giver, from, to)) // and then whoever asked is gone
	if err != nil || a.outcome != wallet.Applied {
		t.Fatalf("the giver's side answers %v, %v", a.outcome, err)
	}
	if audit, err := l.Verify(t.Context()); err != nil || !audit.OK() || audit.Available != wallet.Unit {
		t.Errorf("invariant 1: with money on its way the audit is %+v, %v", audit, err)
	}
	p := parcel{number: 1, kind: 1, amount: pay.Amount, wallet: receiver, asked: askedOfTransfer(&pay, giver)}
	for _, bringer := range []*Ledger{other, l, other} {
		if err := bringer.arrive(t.Context(), bringer.shards[0], bringer.shards[1], p); err != nil {
			t.Fatal(err)
		}
	}
	w, err := other.Wallet(t.Context(), receiver)
	if err != nil || w.Available != wallet.Unit {
		t.Errorf("invariant 3: the receiver has %s, %v", w.Available, err)
	}
	if r, err := other.Transfer(t.Context(), pay); err != nil || r.Outcome != wallet.Replayed {
		t.Errorf("invariant 6: asked again the transfer answers %v, %v", r.Outcome, err)
	}
	ledgertest.AssertConserved(t, l)
}

// Money that was sent by a process that is gone is credited by another's tending.
func TestAnotherProcessBringsWhatWasLeftBehind(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 2}
	l := openOn(t, o, nil)
	giver, receiver := walletIn(t, l, 0, wallet.Unit), walletIn(t, l, 1, 0)
	pay := wallet.Transfer{
		ID: ledgertest.NewID(t, l.now), From: wallet.WalletAccount(giver), To: wallet.WalletAccount(receiver), Generation: 1, Amount: wallet.Unit,
	}
	if _, err := l.shards[0].ask(t.Context(), transferQuestion(&pay, giver, l.shards[0], l.shards[1])); err != nil {
		t.Fatal(err)
	}
	l.Close()
	other := openOn(t, o, nil)
	for deadline := time.Now().Add(5 * tendEvery); ; time.Sleep(50 * time.Millisecond) {
		w, err := other.Wallet(t.Context(), receiver)
		if err == nil && w.Available == wallet.Unit {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("invariant 1: the receiver has %s, %v", w.Available, err)
		}
	}
	ledgertest.AssertConserved(t, other)
}
