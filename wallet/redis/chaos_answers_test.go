package redis

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// impatience is too short for a ledger to ask again by itself.
const impatience = 5 * time.Millisecond

// Redis has carried out what was asked, and the answer is lost: the one fault of which
// nobody can tell whether it was one. Ledgers that ask again themselves and clients that
// do both find out by the id (invariants 3, 6).
var lostAnswers = &schedule{
	fault: "lost answers", times: 1, between: 200,
	begin: func(r *run) {
		r.server = redistest.Start(r)
		r.dropper = redistest.NewDropper(r, r.server.Addr(), r.random.Uint64())
		r.openAt(r.dropper.Addr(), r.dropper.Addr())
		r.options.Patience = impatience // of this one all are lost to its clients
		r.openAt(r.dropper.Addr())
	},
	breaks: func(r *run) {
		r.dropper.DropEvery(8)
		r.eventually("hundreds of answers are lost", func() bool { return r.dropper.Dropped() >= 150 })
		r.dropper.DropEvery(0)
		r.result.faults = r.dropper.Dropped() - 1
	},
}

func TestChaosLostAnswersDoubleNothing(t *testing.T) { chaos(t, lostAnswers) }

// forgetful is a ledger that retries under a new id, as one does that knows of no
// idempotency.
type forgetful struct{ *Ledger }

func (f forgetful) Transfer(ctx context.Context, t wallet.Transfer) (wallet.Receipt, error) {
	asked := t.ID
	for {
		r, err := f.Ledger.Transfer(ctx, t)
		if err == nil || ctx.Err() != nil {
			r.ID = asked
			return r, err
		}
		t.ID = newOpID()
		time.Sleep(retryEvery)
	}
}

// The proof above proves something: where ids are replaced on a retry, lost answers
// double, and the checker and the sums both say so.
func TestChaosTheProofSeesWhatForgetfulRetriesDouble(t *testing.T) {
	seed := chaosSeed(t)
	t.Logf("PAYWALL_SEED=%d", seed)
	r := &run{TB: t, random: rand.New(rand.NewPCG(seed, 0)), begun: time.Now()}
	r.options = Options{Shards: 1, Patience: impatience, Timeout: chaosTimeout}
	dropper := redistest.NewDropper(t, redistest.Start(t).Addr(), seed)
	r.openAt(dropper.Addr())
	r.fillWallets()
	id, c := r.wallets[0], newClient(r, seed, 0)
	first := r.all()[0]
	first.Ledger = forgetful{first.ledger}
	const times = 20
	for n := range times {
		if n%4 == 1 {
			dropper.DropNext(1)
		}
		op := wallet.Transfer{ID: newOpID(), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: wallet.Amount(1 + n)}
		c.carryOut(&deed{op: op, id: op.ID})
	}
	c.carryOut(&deed{op: id})
	doubled := r.deeds[times].wallet.Available - chaosFunds
	for _, d := range r.deeds[:times] {
		doubled -= d.receipt.Amount
	}
	if doubled == 0 {
		t.Errorf("%d answers were lost and nothing was doubled: this control proves nothing", dropper.Dropped())
	}
	if result := newModel(id).linearizable(r.deeds, 20*time.Second); result != porcupine.Illegal {
		t.Errorf("the checker calls it %s", result)
	}
	t.Logf("%d answers lost, %d millionths doubled", dropper.Dropped(), doubled)
}
