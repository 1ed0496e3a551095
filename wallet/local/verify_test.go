package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The wallets are copied in pieces, and money moves between the pieces meanwhile
// (invariants 1 and 7).
func TestVerifyBesideOperationsFindsWhatIsWrongAndNothingElse(t *testing.T) {
	ctx := context.Background()
	l := openAt(t, t.TempDir(), time.Now)
	const wallets = 3*pieceSize + 17
	ids := make([]wallet.WalletID, wallets)
	for i := range ids {
		ids[i] = wallet.WalletID{0: 1, 14: byte(i >> 8), 15: byte(i)}
	}
	each(64, wallets, func(_, i int) {
		done(t)(l.CreateWallet(ctx, wallet.CreateWallet{ID: newID(), Wallet: ids[i]}))
		done(t)(l.Transfer(ctx, wallet.Transfer{
			ID: newID(), From: wallet.FundingOperator, To: wallet.WalletAccount(ids[i]), Amount: wallet.Unit,
		}))
	})
	const spoiled = pieceSize + 5 // nothing happens to it: its next record would not follow from those before
	pick := func(random *rand.Rand) wallet.WalletID { return ids[(spoiled+1+random.IntN(wallets-1))%wallets] }
	var stop atomic.Bool
	var all sync.WaitGroup
	for hand := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(hand)))
			for i := 0; !stop.Load(); i++ {
				from, to := pick(random), pick(random)
				if from == to {
					continue
				}
				_, err := l.Transfer(ctx, wallet.Transfer{
					ID: newID(), From: wallet.WalletAccount(from), To: wallet.WalletAccount(to), Generation: 1, Amount: 7,
				})
				if err == nil {
					_, err = l.Charge(ctx, wallet.Charge{
						ID: newID(), Wallet: to, Generation: 1, Rule: "news", Resource: fmt.Sprint("news:/", hand, "/", i),
						Price: 3, Window: time.Hour,
					})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 3 {
		if a, err := l.Verify(ctx); err != nil || !a.OK() || a.Wallets != wallets || a.Available+a.Site != wallets*wallet.Unit {
			t.Errorf("Verify of sound books: %+v, %v", a, err)
		}
	}
	l.mu.Lock()
	w, _ := l.state.purses.find(ids[spoiled])
	w.available += 1000
	l.mu.Unlock()
	a, err := l.Verify(ctx)
	if err != nil || a.OK() || a.Sum != 1000 || len(a.Differences) != 1 {
		t.Errorf("Verify of spoiled books: %+v, %v", a, err)
	} else if d := a.Differences[0]; d.Account != "wallet:"+ids[spoiled].String() || d.Ledger-d.Journal != 1000 {
		t.Errorf("the difference is %+v", d)
	}
	stop.Store(true)
	all.Wait()
	l.mu.Lock()
	w.available -= 1000
	l.mu.Unlock()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
