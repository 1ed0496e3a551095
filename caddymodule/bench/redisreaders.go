package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// crowd is wallets with money of a ledger that is used without a Caddy.
type crowd struct {
	ledger wallet.Ledger
	ids    []wallet.WalletID
	views  atomic.Int64 // so far: no two are of the same page
}

// gather makes a crowd: wallets that can be recovered, each funded once.
func gather(ctx context.Context, ledger wallet.Ledger, count int) (*crowd, error) {
	c := &crowd{ledger: ledger, ids: make([]wallet.WalletID, count)}
	err := c.each(callers, count, func(m *maker, i int) (err error) {
		if c.ids[i], err = wallet.NewWalletID(m.random); err != nil {
			return err
		}
		create := wallet.CreateWallet{ID: m.operation(), Wallet: c.ids[i]}
		_, _ = m.random.Read(create.Recovery[:]) // never fails
		if err := done(ledger.CreateWallet(ctx, create)); err != nil {
			return err
		}
		return done(ledger.Transfer(ctx, wallet.Transfer{
			ID: m.operation(), From: wallet.FundingOperator, To: wallet.WalletAccount(c.ids[i]), Amount: funds,
		}))
	})
	return c, err
}

// each calls do n times from a number of callers, until one fails, whose error it returns.
func (c *crowd) each(callers, n int, do func(m *maker, i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	failures := make([]error, callers)
	for caller := range callers {
		all.Go(func() {
			m := &maker{random: freshRandom()}
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if failures[caller] = do(m, i); failures[caller] != nil {
					next.Store(int64(n))
					return
				}
			}
		})
	}
	all.Wait()
	return firstOf(failures)
}

// firstOf is the first error: where one caller fails, all do.
func firstOf(failures []error) error {
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

// freshRandom is random numbers that no other caller has had.
func freshRandom() *rand.ChaCha8 { return seeded(streams.Add(1) + callers) }

var streams atomic.Uint64

// nextView is the page of the next view, and who reads it.
func (c *crowd) nextView() (reader wallet.WalletID, resource string) {
	n := c.views.Add(1) - 1
	return c.ids[n%int64(len(c.ids))], "news.example.com/articles/2026/story-" + strconv.FormatInt(firstPage+n, 10)
}

// charge pays for the next view.
func (c *crowd) charge(ctx context.Context, m *maker) error {
	reader, resource := c.nextView()
	r, err := c.ledger.Charge(ctx, wallet.Charge{
		ID: m.operation(), Wallet: reader, Generation: 1, Rule: ruleName, Resource: resource, Price: crowdPrice, Window: grantWindow,
	})
	if err == nil && r.Outcome != wallet.Applied {
		err = fmt.Errorf("the ledger answers %v", r.Outcome)
	}
	return err
}

// stand asks what a reader could do at the next page.
func (c *crowd) stand(ctx context.Context, _ *maker) error {
	reader, resource := c.nextView()
	s, err := c.ledger.Standing(ctx, wallet.StandingQuery{Wallet: reader, Generation: 1, Rule: ruleName, Resource: resource})
	if err == nil && (s.Credential != wallet.Applied || !s.GrantedUntil.IsZero()) {
		err = fmt.Errorf("the ledger answers %+v", s)
	}
	return err
}

// crowdPrice is that of price.
const crowdPrice = wallet.Unit / 1000

// load has so many callers do one thing after the other for a while, and returns how
// long each took.
func (c *crowd) load(callers int, window time.Duration, do func(m *maker) error) (took []time.Duration, err error) {
	var all sync.WaitGroup
	each, failures := make([][]time.Duration, callers), make([]error, callers)
	until := time.Now().Add(window)
	for caller := range callers {
		all.Go(func() {
			m := &maker{random: freshRandom()}
			for begin := time.Now(); begin.Before(until); {
				if failures[caller] = do(m); failures[caller] != nil {
					return
				}
				end := time.Now()
				each[caller] = append(each[caller], end.Sub(begin))
				begin = end
			}
		})
	}
	all.Wait()
	for _, one := range each {
		took = append(took, one...)
	}
	return took, firstOf(failures)
}
