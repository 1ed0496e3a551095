package redis

import (
	"context"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// client does random things with few wallets and few resources, so that clients meet.
type client struct {
	*run
	random *rand.Rand
}

func newClient(r *run, seed uint64, number int) *client {
	return &client{r, rand.New(rand.NewPCG(seed, uint64(number+1)))}
}

// fillWallets creates wallets in every shard and puts the same into each.
func (r *run) fillWallets() {
	r.Helper()
	random := rand.NewChaCha8([32]byte{byte(r.random.Uint64())})
	first := r.all()[0]
	for n := range chaosWallets {
		var id wallet.WalletID
		for shard := -1; shard != n%len(first.ledger.shards); shard = shardOf(id, len(first.ledger.shards)) {
			random.Read(id[:])
		}
		for _, op := range []any{
			wallet.CreateWallet{ID: newOpID(), Wallet: id},
			wallet.Transfer{ID: newOpID(), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: chaosFunds},
		} {
			var answer wallet.Receipt
			r.eventually("a wallet is filled", func() (done bool) {
				var err error
				if create, is := op.(wallet.CreateWallet); is {
					answer, err = first.CreateWallet(context.Background(), create)
				} else {
					answer, err = first.Transfer(context.Background(), op.(wallet.Transfer))
				}
				return err == nil
			})
			if !answer.Outcome.Done() {
				r.Fatalf("filling a wallet answers %v", answer.Outcome)
			}
		}
		r.wallets = append(r.wallets, id)
	}
}

func newOpID() wallet.OpID {
	id, err := wallet.NewOpID(time.Now(), cryptorand.Reader)
	if err != nil {
		panic(err)
	}
	return id
}

// work does one thing after the other until the run has ended.
func (c *client) work() {
	draw := c.schedule.draws
	if draw == nil {
		draw = (*client).anything
	}
	for !c.ended.Load() {
		op := draw(c)
		c.carryOut(&deed{op: op, id: idOf(op)})
	}
}

// carryOut asks for a deed until it is answered, each time of any instance, or gives it
// up at random: then nobody knows what became of it until it is asked for at the end.
func (c *client) carryOut(d *deed) {
	defer c.keep(d)
	d.called = c.since()
	for {
		called := c.since()
		s, err := c.try(d.op)
		d.returned = c.since()
		if err == nil {
			d.said, d.answered = s, true
			if d.failed && !d.reads() && !d.done() {
				// What was asked for in vain may be on its way yet: this answer says only how
				// things stood, and the last one of this id comes at the end.
				c.keep(&deed{op: d.op, called: called, returned: d.returned, answered: true, said: s})
				d.answered = false
				return
			}
			return
		}
		d.failed = true
		if c.ended.Load() || c.random.IntN(20) == 0 {
			return
		}
		time.Sleep(time.Duration(c.random.IntN(20)) * time.Millisecond)
	}
}

// try asks any instance once, now and then with little time.
func (c *client) try(op any) (said, error) {
	ctx := context.Background()
	if c.random.IntN(100) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.random.IntN(2000))*time.Microsecond)
		defer cancel()
	}
	all := c.all()
	return c.call(ctx, all[c.random.IntN(len(all))], op)
}

// keep puts a deed into the history.
func (c *client) keep(d *deed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deeds = append(c.deeds, d)
	if d.answered && !d.done() {
		return
	}
	switch op := d.op.(type) {
	case wallet.Charge:
		c.charges = lastFew(c.charges, op)
	case wallet.Hold:
		c.holds = lastFew(c.holds, op)
	}
}

func lastFew[T any](list []T, next T) []T {
	const few = 30
	return append(list[max(0, len(list)-few+1):], next)
}

// oneOfTheLast is one of the last charges or holds of any client, at random, or none.
func oneOfTheLast[T any](c *client, list *[]T) (one T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(*list) > 0 {
		one = (*list)[c.random.IntN(len(*list))]
	}
	return one
}

// anything is a random operation.
func (c *client) anything() any {
	w, amount := c.someWallet(), wallet.Amount(1+c.random.IntN(1000))
	switch n := c.random.IntN(100); {
	case n < 40:
		return c.charge(w, fmt.Sprintf("news:/%d", c.random.IntN(chaosResources)))
	case n < 58:
		of := oneOfTheLast(c, &c.charges)
		s := wallet.Settlement{ID: newOpID(), Wallet: of.Wallet, Resource: of.Resource, Charge: of.ID, Delivered: c.random.IntN(4) == 0}
		if of.Resource == "" {
			return w
		}
		if of.Ahead && c.random.IntN(2) == 0 {
			s.Charge = wallet.OpID{}
		}
		return s
	case n < 68:
		to := c.someWallet()
		if to == w {
			return w
		}
		return wallet.Transfer{ID: newOpID(), From: wallet.WalletAccount(w), To: wallet.WalletAccount(to), Generation: 1, Amount: amount}
	case n < 72:
		return wallet.Transfer{ID: newOpID(), From: wallet.FundingOperator, To: wallet.WalletAccount(w), Amount: amount}
	case n < 78:
		return wallet.Hold{ID: newOpID(), Wallet: w, Generation: 1, Amount: amount, TTL: wallet.MaxHold}
	case n < 85:
		h := oneOfTheLast(c, &c.holds)
		if h.Amount == 0 {
			return w
		}
		if c.random.IntN(2) == 0 {
			return wallet.Release{ID: newOpID(), Wallet: h.Wallet, Hold: h.ID}
		}
		return wallet.Capture{ID: newOpID(), Wallet: h.Wallet, Hold: h.ID, Amount: min(amount, h.Amount), Rule: "post"}
	case n < 92:
		return w
	}
	return wallet.StandingQuery{Wallet: w, Rule: "news", Resource: fmt.Sprintf("news:/%d", c.random.IntN(chaosResources))}
}

func (c *client) someWallet() wallet.WalletID { return c.wallets[c.random.IntN(len(c.wallets))] }

func (c *client) charge(w wallet.WalletID, resource string) wallet.Charge {
	return wallet.Charge{
		ID: newOpID(), Wallet: w, Generation: 1, Rule: "news", Resource: resource,
		Price: wallet.Amount(1 + c.random.IntN(1000)), Window: 24 * time.Hour, Ahead: c.random.IntN(3) == 0,
	}
}
