package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Up reports whether the ledger can be used, as far as it knows: every shard answered
// when it was last asked, and the servers keep what they are told.
func (l *Ledger) Up() bool {
	if l.refusal() != nil {
		return false
	}
	for _, s := range l.shards {
		if !s.up() {
			return false
		}
	}
	return true
}

// Intact finds out whether the servers still have the ledger that was opened. Servers
// that came back empty, or with other books, would take money for wallets of which they
// know nothing. It is nil where nobody answers, and waits for that as for one answer.
func (l *Ledger) Intact() error {
	ctx, cancel := context.WithTimeout(l.background, l.options.Timeout)
	defer cancel()
	meta := newKeys(l.options.Name, 0).fixed[keyMeta]
	c, err := l.servers.master(ctx, meta)
	if err != nil {
		return nil //nolint:nilerr // a flight finds that out, and has patience
	}
	found, err := c.HGet(ctx, meta, fieldID).Result()
	switch id, _, _ := strings.Cut(found, " "); {
	case errors.Is(err, goredis.Nil):
		return fmt.Errorf("%w: %s", wallet.ErrStopped, l.lost("there is none any more"))
	case err != nil, id == l.id:
		return nil
	}
	return fmt.Errorf("%w: %s", wallet.ErrStopped, l.lost("another one is in its place"))
}

// lost says that the ledger is not where it was, and what to do.
func (l *Ledger) lost(how string) string {
	return fmt.Sprintf("the ledger %s is not on this Redis, %s: bring its data back (the AOF and the RDB file), "+
		"or point the paywall at the server that has it; to begin an empty one, restart Caddy", l.options.Name, how)
}
