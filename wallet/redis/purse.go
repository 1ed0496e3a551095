package redis

import (
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// purse is a wallet as its shard keeps it; see library/20-wallet.lua.
type purse struct {
	id         wallet.WalletID
	available  wallet.Amount
	held       wallet.Amount
	generation uint32
	frozen     bool
	created    int64
	last       uint64 // position of its newest record
	recovery   shortDigest
	passes     []pass // with visits left
}

type pass struct {
	rule   ruleKey
	visits int
	until  int64
}

// The flags of a wallet, in the order of the fields that they stand for.
const (
	purseFrozen = 1 << iota
	purseHeld
	purseIDs
	purseGrants
	purseMoney
)

func decodePurse(id wallet.WalletID, text string, now int64) (purse, error) {
	d := reader{rest: []byte(text)}
	p := purse{id: id, available: wallet.Amount(d.uint(7)), generation: uint32(d.uint(3))}
	flags := d.uint(1)
	p.created, p.last = int64(d.uint(6)), d.uint(7)
	p.recovery = d.sixteen()
	passes := d.uint(2)
	d.take(1) // the number of ids of money
	p.frozen = flags&purseFrozen != 0
	if flags&purseHeld != 0 {
		p.held = wallet.Amount(d.uint(7))
	}
	for _, flag := range []uint64{purseIDs, purseGrants, purseMoney} {
		if flags&flag != 0 {
			d.take(6)
		}
	}
	for range passes {
		one := pass{rule: ruleKey(append(make([]byte, 0, 8), pad(d.take(8), 8)...)), visits: int(d.uint(3)), until: int64(d.uint(6))}
		if one.visits > 0 && (one.until == 0 || one.until > now) {
			p.passes = append(p.passes, one)
		}
	}
	if d.failed {
		return purse{}, fmt.Errorf("%w: wallet %s does not read", wallet.ErrCorrupt, id)
	}
	return p, nil
}

// pad makes bytes that were not there zeros: the reader has failed, and says so later.
func pad(b []byte, n int) []byte {
	if len(b) < n {
		return make([]byte, n)
	}
	return b
}

func isNotFound(err error) bool { return errors.Is(err, wallet.ErrNotFound) }
