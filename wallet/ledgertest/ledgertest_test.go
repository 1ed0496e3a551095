package ledgertest_test

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// The model's store is the model itself, so a restart of it changes nothing.
// With it the sentences about restarts are held against the reference too.
var model = ledgertest.Engine{
	Open:   func(_ testing.TB, clock func() time.Time) wallet.Ledger { return ledgertest.NewModel(clock) },
	Reopen: func(_ testing.TB, l wallet.Ledger, _ func() time.Time) wallet.Ledger { return l },
}

func TestTheModelPassesTheSuite(t *testing.T) { ledgertest.Run(t, model) }

func TestTheModelAnswersTheSameEveryTime(t *testing.T) { ledgertest.Property(t, model) }

func TestAClockMovesOnlyWhenTold(t *testing.T) {
	begin := time.Unix(1_800_000_000, 123)
	clock := ledgertest.NewClock(begin)
	if got := clock.Now(); !got.Equal(begin) {
		t.Errorf("the clock stands at %v, want %v", got, begin)
	}
	clock.Advance(time.Hour)
	if got, want := clock.Now(), begin.Add(time.Hour); !got.Equal(want) {
		t.Errorf("the clock stands at %v, want %v", got, want)
	}
}
