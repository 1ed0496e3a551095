package ledgertest

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// reference is the model as an engine. Its store is the model itself, so a
// restart only opens it again; that way the sentences about restarts are held
// against the reference too.
var reference = Engine{
	Open: func(_ testing.TB, clock func() time.Time) wallet.Ledger { return NewModel(clock) },
	Reopen: func(_ testing.TB, l wallet.Ledger, _ func() time.Time) wallet.Ledger {
		m := l.(*model)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.closed = false
		return m
	},
}

// ofWallets is the model as an engine that knows an id with its wallet alone.
var ofWallets = Engine{
	Open:         func(_ testing.TB, clock func() time.Time) wallet.Ledger { return newModel(clock, true) },
	Reopen:       reference.Reopen,
	IDsOfWallets: true,
}

func TestTheModelPassesTheSuite(t *testing.T) {
	t.Run("ids of all operations", func(t *testing.T) { Run(t, reference) })
	t.Run("ids of wallets", func(t *testing.T) { Run(t, ofWallets) })
}

func TestTheModelAnswersTheSameEveryTime(t *testing.T) {
	t.Run("ids of all operations", func(t *testing.T) { Property(t, reference) })
	t.Run("ids of wallets", func(t *testing.T) { Property(t, ofWallets) })
}

func TestAClockMovesOnlyWhenTold(t *testing.T) {
	begin := time.Unix(1_800_000_000, 123)
	clock := NewClock(begin)
	if got := clock.Now(); !got.Equal(begin) {
		t.Errorf("the clock stands at %v, want %v", got, begin)
	}
	clock.Advance(time.Hour)
	if got, want := clock.Now(), begin.Add(time.Hour); !got.Equal(want) {
		t.Errorf("the clock stands at %v, want %v", got, want)
	}
}

// A proof that cannot fail proves nothing: each of these ledgers has a lie in
// its books that AssertConserved must see (invariants 1, 2, 7).
func TestBooksThatDoNotAddUpAreSeen(t *testing.T) {
	for name, lie := range map[string]func(m *model, id wallet.WalletID){
		"money out of nothing":         func(m *model, id wallet.WalletID) { m.balance[open(id)]++ },
		"money moved without a record": func(m *model, id wallet.WalletID) { m.balance[open(id)]--; m.balance[siteBook]++ },
		"a record without money moved": func(m *model, id wallet.WalletID) {
			m.journal = append(m.journal, record{moves: []move{{open(id), siteBook, 1}}})
		},
		"an entry without money moved": func(m *model, id wallet.WalletID) {
			m.journal = append(m.journal, record{lines: []line{{id, wallet.Entry{Amount: 1}}}})
		},
		"a wallet below zero": func(m *model, id wallet.WalletID) {
			m.write([]move{{open(id), siteBook, 2 * price}}, line{wallet: id})
		},
		"a hold below zero": func(m *model, id wallet.WalletID) {
			m.write([]move{{heldOf(id), open(id), price}}, line{wallet: id})
		},
		"a site below zero": func(m *model, id wallet.WalletID) {
			m.write([]move{{siteBook, open(id), price}}, line{wallet: id})
		},
		"more money left than came in": func(m *model, _ wallet.WalletID) {
			m.write([]move{{book{account: charity}, book{account: card}, 3 * price}})
		},
		"a wallet that no listing shows": func(m *model, id wallet.WalletID) {
			m.created = m.created[:0]
		},
		"a wallet above the limit": func(m *model, id wallet.WalletID) {
			m.write([]move{{book{account: card}, open(id), wallet.MaxAmount}}, line{wallet: id})
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock(start)
			m := NewModel(clock.Now)
			id := NewWallet(t, m, clock.Now, price)
			if found := violations(t.Context(), m); len(found) > 0 {
				t.Fatalf("honest books: %v", found)
			}
			lie(m.(*model), id)
			if found := violations(t.Context(), m); len(found) == 0 {
				t.Error("nothing was found wrong")
			}
		})
	}
}
