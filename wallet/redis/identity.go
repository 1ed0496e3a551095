package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The meta hash of every shard says of which ledger it is: the ledger's random id, the
// format and the number of shards. The first shard has it first, and says when all others
// have it. A shard that does not say it has lost its data, and flights change nothing there
// (library/90-flight.lua).
const (
	fieldID    = "ledger"
	fieldBegun = "begun"
	format     = "1"
)

// identify finds out how many shards the ledger has, or makes a new one.
func (l *Ledger) identify(ctx context.Context) (shards int, err error) {
	meta := newKeys(l.options.Name, 0).fixed[keyMeta]
	c, err := l.servers.master(ctx, meta)
	if err != nil {
		return 0, err
	}
	shards = l.options.Shards
	if shards == 0 {
		shards = defaultShards
		if l.options.Cluster {
			shards = defaultClusterSize
		}
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return 0, err
	}
	if must := l.options.MustBe; must != "" {
		if err := l.stillThere(ctx, must); err != nil {
			return 0, err
		}
	}
	// Two that begin at once agree: the first field that is set decides.
	mine := strings.Join([]string{hex.EncodeToString(id[:]), format, strconv.Itoa(shards)}, " ")
	if _, err := c.HSetNX(ctx, meta, fieldID, mine).Result(); err != nil {
		return 0, err
	}
	found, err := c.HGet(ctx, meta, fieldID).Result()
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(found)
	if len(fields) != 3 || fields[1] != format {
		return 0, fmt.Errorf("%w: the key %s is not a ledger of this format", wallet.ErrCorrupt, meta)
	}
	l.id, l.identity = fields[0], found
	switch shards, err = strconv.Atoi(fields[2]); {
	case err != nil || shards < 1 || shards > MaxShards:
		return 0, fmt.Errorf("%w: the key %s has no number of shards", wallet.ErrCorrupt, meta)
	case l.options.Shards != 0 && l.options.Shards != shards:
		return 0, promiseError(fmt.Sprintf("the ledger %s has %d shards and not %d; their number never changes: leave shards out, or give another name and import the ledger into it",
			l.options.Name, shards, l.options.Shards))
	}
	return shards, nil
}

// inscribe says in every shard of a new ledger of which ledger it is, and finds out
// whether every shard of an old one still says so.
func (l *Ledger) inscribe(ctx context.Context) error {
	begun, err := l.root().field(ctx, fieldBegun)
	if err != nil {
		return err
	}
	for _, s := range l.shards[1:] {
		if begun == "" {
			c, err := s.client(ctx, "")
			if err != nil {
				return err
			}
			if err := c.HSetNX(ctx, s.fixed[keyMeta], fieldID, l.identity).Err(); err != nil {
				return err
			}
		}
		found, err := s.field(ctx, fieldID)
		if err != nil {
			return err
		}
		lost := s
		switch found {
		case l.identity:
			continue
		case "":
		default: // of an older ledger, which the first shard knows nothing of any more
			lost = l.root()
		}
		return promiseError(fmt.Sprintf("the ledger %s has lost its shard %d: bring back the data (the AOF) of the server that has the key %s",
			l.options.Name, lost.number, lost.fixed[keyMeta]))
	}
	c, err := l.root().client(ctx, "")
	if err != nil || begun != "" {
		return err
	}
	if err := c.HSet(ctx, l.root().fixed[keyMeta], fieldBegun, "1").Err(); err != nil {
		return err
	}
	l.keepBeginning()
	return nil
}

// syncedAfter is when servers that sync once a second have synced.
const syncedAfter = 2 * time.Second

// keepBeginning waits, once in the life of a ledger, until it is on the disk that it has
// begun. A power cut before that would leave servers on which it is lost, and whoever still
// remembered what was sold could not carry it out again.
func (l *Ledger) keepBeginning() {
	if l.options.Durability != Fast {
		return
	}
	select {
	case <-l.background.Done():
	case <-time.After(syncedAfter):
	}
}

// field reads one of the shard's meta hash; empty: it is not there.
func (s *shard) field(ctx context.Context, name string) (string, error) {
	c, err := s.client(ctx, "")
	if err != nil {
		return "", err
	}
	found, err := c.HGet(ctx, s.fixed[keyMeta], name).Result()
	if errors.Is(err, goredis.Nil) {
		return "", nil
	}
	return found, err
}
