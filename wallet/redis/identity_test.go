package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A server that comes back without its data would begin new books, in which a charge is
// taken that the old ones know nothing of. Not one flight changes anything there, and no
// start takes it for a new ledger (invariants 1, 5).
func TestAShardThatComesBackEmptyTakesNoMoney(t *testing.T) {
	server := redistest.Start(t)
	o := Options{Addresses: []string{server.Addr()}, Shards: 3, Patience: 100 * time.Millisecond}
	l := openOn(t, o, nil)
	var id wallet.WalletID
	var at int
	for at == 0 {
		id = ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
		at = shardOf(id, 3)
	}
	do := func(args ...any) any {
		t.Helper()
		got, err := server.Do(args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return got
	}
	refused := func() {
		t.Helper()
		c := wallet.Charge{
			ID: ledgertest.NewID(t, time.Now), Wallet: id, Generation: 1, Rule: "news", Resource: "news:/a", Price: 1, Window: time.Hour,
		}
		if r, err := l.Charge(t.Context(), c); !errors.Is(err, wallet.ErrUnavailable) {
			t.Errorf("a charge answers %v, %v", r.Outcome, err)
		}
		if _, err := l.Wallet(t.Context(), id); !errors.Is(err, wallet.ErrUnavailable) {
			t.Errorf("looking for the wallet answers %v", err)
		}
	}
	keys := do("KEYS", fmt.Sprintf("{paywall.%d}*", at)).([]any)
	do(append([]any{"DEL"}, keys...)...)
	refused()
	if left := do("KEYS", fmt.Sprintf("{paywall.%d}*", at)).([]any); len(left) != 0 {
		t.Errorf("new books have been begun: %v", left)
	}
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("has lost its shard %d", at)) {
		t.Errorf("a start answers %v", err)
	}
	keys = do("KEYS", "{paywall.0}*").([]any)
	do(append([]any{"DEL"}, keys...)...)
	do("HSET", fmt.Sprintf("{paywall.%d}meta", at), fieldID, l.identity) // it is back, and the first shard is not
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "has lost its shard 0") {
		t.Errorf("a start without the first shard answers %v", err)
	}
	do("FLUSHALL")
	refused()
	if left := do("DBSIZE").(int64); left != 0 {
		t.Errorf("%d keys have been made", left)
	}
}
