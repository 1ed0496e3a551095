package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis"
)

// redisSetup is a way to have the ledger on Redis.
type redisSetup struct {
	Name       string
	sync       string // appendfsync
	durability redis.Durability
	caddys     int
	nodes      int
}

const everySecond, always = "everysec", "always"

// redisSetups are those that have rows.
var redisSetups = []redisSetup{
	{"Redis, everysec", everySecond, redis.Fast, 1, 1},
	{"Redis, always", always, redis.Durable, 1, 1},
	{"Redis, always, two Caddys", always, redis.Durable, 2, 1},
	{"Redis Cluster of 3, always", always, redis.Durable, 1, 3},
}

// aloneSetups are those whose ledger is measured without a Caddy too.
var aloneSetups = []redisSetup{redisSetups[0], redisSetups[1], redisSetups[3]}

// redisBooks is a ledger on Redis servers that run.
type redisBooks struct {
	redisSetup
	fleet
}

// raiseBooks starts the servers, in dir.
func (r redisSetup) raiseBooks(ctx context.Context, dir string) (*redisBooks, error) {
	f, err := launchFleet(ctx, dir, r.nodes, "--appendfsync", r.sync)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Name, err)
	}
	return &redisBooks{r, f}, nil
}

func (b *redisBooks) open() (*redis.Ledger, error) {
	return redis.Open(redis.Options{Addresses: b.addresses(), Cluster: b.nodes > 1, Durability: b.durability})
}

// directive is what the Caddyfile says of the ledger.
func (b *redisBooks) directive() string {
	cluster := ""
	if b.nodes > 1 {
		cluster = "cluster\n"
	}
	return fmt.Sprintf("ledger redis {\naddress %s\n%sdurability %v\n}", strings.Join(b.addresses(), " "), cluster, b.durability)
}

// sold is how many views the site has been paid for at a price, by what its account
// has in all shards: a view that was charged twice or not at all shows, and reading it
// costs nothing. A shard's accounts are fields of its key meta.
func (b *redisBooks) sold(ctx context.Context, price wallet.Amount) (int, error) {
	var sum int64
	for _, s := range b.fleet {
		keys, err := s.client.Keys(ctx, "{paywall.*}meta").Result()
		if err != nil {
			return 0, err
		}
		for _, key := range keys {
			text, err := s.client.HGet(ctx, key, "$site").Result()
			if errors.Is(err, goredis.Nil) {
				continue // a shard that has sold nothing
			}
			if err != nil {
				return 0, err
			}
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	if sum%int64(price) != 0 {
		return 0, fmt.Errorf("the site has %d, which is no multiple of the price of %d", sum, price)
	}
	return int(sum / int64(price)), nil
}

// prove has every balance recomputed from the journal, and compares what was sold with
// the records. Each of the wallets has one of its creation and one of its funding.
func (b *redisBooks) prove(ctx context.Context, wallets int) error {
	ledger, err := b.open()
	if err != nil {
		return err
	}
	defer ledger.Close()
	sold, err := b.sold(ctx, crowdPrice)
	if err != nil {
		return err
	}
	audit, err := ledger.Verify(ctx)
	switch {
	case err != nil:
		return err
	case !audit.OK():
		return fmt.Errorf("the money does not add up: %+v", audit)
	case audit.Wallets != wallets || int(audit.Entries) != 2*wallets+sold:
		return fmt.Errorf("the ledger has %d wallets and %d entries, not %d and %d", audit.Wallets, audit.Entries, wallets, 2*wallets+sold)
	}
	return nil
}

// makeDirectory makes where a set-up's programs work: no file of one is another's.
func (r redisSetup) makeDirectory(dir string) (string, error) {
	dir = filepath.Join(dir, strings.NewReplacer(" ", "-", ",", "").Replace(r.Name))
	return dir, os.MkdirAll(dir, 0o750)
}
