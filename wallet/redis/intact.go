package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ID is the ledger's own, drawn when it was begun: no other has it.
func (l *Ledger) ID() string { return l.id }

// Up reports whether the ledger can be used, as far as it knows: every shard answered
// when it was last asked, and the servers keep what they are told.
func (l *Ledger) Up() bool { return l.down.Load() == 0 && l.refusal() == nil }

// Intact finds out whether the servers still have the ledger that was opened. Servers
// that came back empty, or with other books, would take money for wallets of which they
// know nothing. It is nil where nobody answers, and waits for that as for one answer.
// Its error, of which the log hears, means that the ledger is of no more use: what a
// new one opens has to be this one again (MustBe).
func (l *Ledger) Intact() error {
	ctx, cancel := context.WithTimeout(l.background, l.options.Timeout)
	defer cancel()
	err := l.stillThere(ctx, l.id)
	if err == nil || classifiable(err) {
		return nil // flights find out who answers, and have patience
	}
	l.log.Error("the ledger's Redis has lost it; the paywall answers 503 until it is back", "error", err)
	return fmt.Errorf("%w: %w", wallet.ErrStopped, err)
}

// stillThere looks for a ledger by its id. That it is gone is a judgement; any other
// error is the servers'.
func (l *Ledger) stillThere(ctx context.Context, id string) error {
	meta := newKeys(l.options.Name, 0).fixed[keyMeta]
	c, err := l.servers.master(ctx, meta)
	if err != nil {
		return err
	}
	found, err := c.HGet(ctx, meta, fieldID).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return err
	}
	how := "another one is in its place"
	switch there, _, _ := strings.Cut(found, " "); there {
	case id:
		return nil
	case "":
		how = "there is none any more"
	}
	return promiseError(fmt.Sprintf("the ledger %s is not on this Redis, %s: bring back its data (the AOF), "+
		"or let the paywall find the server that has it; to go on with what is there, restart Caddy", l.options.Name, how))
}
