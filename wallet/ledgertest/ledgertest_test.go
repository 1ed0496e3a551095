package ledgertest_test

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

var model = ledgertest.Engine{
	Open: func(_ testing.TB, clock func() time.Time) wallet.Ledger { return ledgertest.NewModel(clock) },
}

func TestTheModelPassesTheSuite(t *testing.T) { ledgertest.Run(t, model) }
