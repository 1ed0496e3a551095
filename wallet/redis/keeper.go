package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// CreateWallet implements [wallet.Keeper]. In a ledger of several shards the first one
// lists the wallet and takes its recovery digest before the wallet's own makes it; where
// that is cut short, asking again completes it.
func (l *Ledger) CreateWallet(ctx context.Context, c wallet.CreateWallet) (wallet.Receipt, error) {
	s, root := l.shardOf(c.Wallet), l.root()
	recovery := shorten(c.Recovery)
	q := &question{ask: askCreate, asked: askedOfCreate(&c), id: c.ID, wallet: c.Wallet}
	if s == root {
		q.needs(root.list())
		q.needs(root.openers(recovery))
	} else {
		q.rest = append(q.rest, 0, 0)
		here, err := s.ask(ctx, &question{ask: askPrecheck, id: c.ID, wallet: c.Wallet, flags: 1})
		switch {
		case err != nil:
			return wallet.Receipt{}, err
		case here.outcome == outcomeKnown:
			return s.conclude(ctx, q, &here)
		case here.outcome == wallet.Applied:
			return wallet.Receipt{Outcome: wallet.Conflict}, nil
		case here.outcome == wallet.Stale:
			return wallet.Receipt{Outcome: wallet.Stale}, nil
		}
		claim := &question{ask: askClaim, wallet: c.Wallet}
		claim.needs(root.list())
		claim.needs(root.openers(recovery))
		claim.rest = append(claim.rest, recovery[:]...)
		if a, err := root.ask(ctx, claim); err != nil || a.outcome != wallet.Applied {
			return a.refusal(), err
		}
	}
	q.rest = append(q.rest, recovery[:]...)
	return s.operate(ctx, q)
}

// Rekey implements [wallet.Keeper]. The wallet's own shard has the last word on which
// digest opens it: what the first one says besides is a hint where to look.
func (l *Ledger) Rekey(ctx context.Context, k wallet.Rekey) (wallet.Receipt, error) {
	s, root := l.shardOf(k.Wallet), l.root()
	recovery := shorten(k.Recovery)
	for {
		before, err := l.look(ctx, k.Wallet)
		if err != nil && !isNotFound(err) {
			return wallet.Receipt{}, err
		}
		q := &question{ask: askRekey, asked: askedOfRekey(&k), id: k.ID, wallet: k.Wallet}
		if k.Revoke {
			q.flags = 1
		}
		if s == root {
			q.rest = append(q.rest, 1)
			q.needs(root.openers(recovery))
			q.needs(root.openers(before.recovery))
		} else {
			q.rest = append(q.rest, 0, 0, 0)
			if receipt, done, err := l.claimDigest(ctx, q, s, recovery); done || err != nil {
				return receipt, err
			}
		}
		q.rest = append(append(q.rest, recovery[:]...), before.recovery[:]...)
		a, err := s.ask(ctx, q)
		if err != nil {
			return wallet.Receipt{}, err
		}
		if a.outcome == outcomeAgain {
			continue
		}
		if a.outcome == wallet.Applied && s != root && before.recovery != recovery && before.recovery != (shortDigest{}) {
			if err := l.unclaim(ctx, k.Wallet, before.recovery); err != nil {
				return wallet.Receipt{}, err
			}
		}
		return s.conclude(ctx, q, &a)
	}
}

// claimDigest takes a recovery digest for a wallet of another shard than the first. It
// is done where the id or the wallet has the answer already.
func (l *Ledger) claimDigest(ctx context.Context, q *question, s *shard, recovery shortDigest) (receipt wallet.Receipt, done bool, err error) {
	here, err := s.ask(ctx, &question{ask: askPrecheck, id: q.id, wallet: q.wallet, flags: 1})
	if err != nil || here.outcome == wallet.Applied && recovery == (shortDigest{}) {
		return receipt, false, err
	}
	if here.outcome != wallet.Applied {
		receipt, err = s.conclude(ctx, q, &here)
		return receipt, true, err
	}
	root := l.root()
	claim := &question{ask: askClaim, wallet: q.wallet, rest: []byte{0}}
	claim.needs(root.openers(recovery))
	claim.rest = append(claim.rest, recovery[:]...)
	a, err := root.ask(ctx, claim)
	return a.refusal(), err == nil && a.outcome != wallet.Applied, err
}

func (l *Ledger) unclaim(ctx context.Context, id wallet.WalletID, recovery shortDigest) error {
	q := &question{ask: askUnclaim, wallet: id}
	q.needs(l.root().openers(recovery))
	q.rest = append(q.rest, recovery[:]...)
	_, err := l.root().ask(ctx, q)
	return err
}

// Freeze implements [wallet.Keeper].
func (l *Ledger) Freeze(ctx context.Context, f wallet.Freeze) (wallet.Receipt, error) {
	if err := f.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	q := &question{ask: askFreeze, id: f.ID, wallet: f.Wallet, asked: askedOfFreeze(&f)}
	if f.Frozen {
		q.flags = 1
	}
	return l.shardOf(f.Wallet).operate(ctx, q)
}

// Wallet implements [wallet.Keeper].
func (l *Ledger) Wallet(ctx context.Context, id wallet.WalletID) (wallet.Wallet, error) {
	p, err := l.look(ctx, id)
	if err != nil {
		return wallet.Wallet{}, err
	}
	return l.describe(ctx, p)
}

// WalletByRecovery implements [wallet.Keeper].
func (l *Ledger) WalletByRecovery(ctx context.Context, recovery wallet.Digest) (wallet.Wallet, error) {
	root, digest := l.root(), shorten(recovery)
	if recovery == (wallet.Digest{}) {
		if err := ctx.Err(); err != nil {
			return wallet.Wallet{}, unavailable(err)
		}
		return wallet.Wallet{}, cmp.Or(l.refusal(), wallet.ErrNotFound)
	}
	var owner string
	err := root.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
		owner, err = c.HGet(ctx, root.openers(digest), string(digest[:])).Result()
		return err
	})
	if err != nil {
		return wallet.Wallet{}, err
	}
	if len(owner) != len(wallet.WalletID{}) {
		return wallet.Wallet{}, wallet.ErrNotFound
	}
	p, err := l.look(ctx, wallet.WalletID([]byte(owner)))
	if err != nil {
		return wallet.Wallet{}, err
	}
	if p.recovery != digest {
		return wallet.Wallet{}, wallet.ErrNotFound
	}
	return l.describe(ctx, p)
}

// look asks for a wallet whole.
func (l *Ledger) look(ctx context.Context, id wallet.WalletID) (purse, error) {
	a, err := l.shardOf(id).ask(ctx, &question{ask: askLook, wallet: id})
	switch {
	case err != nil:
		return purse{}, err
	case a.outcome == wallet.NotFound:
		return purse{}, wallet.ErrNotFound
	case a.number < 1 || a.number > uint64(len(a.texts)):
		return purse{}, unavailable(errReply)
	}
	return decodePurse(id, a.texts[a.number-1], a.now)
}

// describe is what the ledger knows of a wallet.
func (l *Ledger) describe(ctx context.Context, p purse) (wallet.Wallet, error) {
	w := wallet.Wallet{
		ID: p.id, Available: p.available, Held: p.held, Generation: p.generation, Frozen: p.frozen, Created: timeOf(p.created),
	}
	if len(p.passes) == 0 {
		return w, nil
	}
	s := l.shardOf(p.id)
	fields := make([]string, 0, len(p.passes))
	for _, pass := range p.passes {
		fields = append(fields, string(pass.rule[:]))
	}
	var names []any
	if err := s.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
		names, err = c.HMGet(ctx, s.fixed[keyRules], fields...).Result()
		return err
	}); err != nil {
		return wallet.Wallet{}, err
	}
	for i, pass := range p.passes {
		name, ok := names[i].(string)
		if !ok {
			return wallet.Wallet{}, fmt.Errorf("%w: a pass of wallet %s is for a rule without a name", wallet.ErrCorrupt, p.id)
		}
		w.Passes = append(w.Passes, wallet.Pass{Rule: name, Visits: pass.visits, Until: timeOf(pass.until)})
	}
	slices.SortFunc(w.Passes, func(a, b wallet.Pass) int { return cmp.Compare(a.Rule, b.Rule) })
	return w, nil
}
