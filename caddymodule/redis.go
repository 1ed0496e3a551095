package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func init() {
	caddy.RegisterModule(RedisLedger{})
}

// RedisLedger is a ledger on Redis 7 or later, which any number of Caddys share: on
// several machines, or one after the other. They need the same secret and
// signing_keys too, so that a wallet made at one pays at each. Only servers that
// keep what they are told are taken: an AOF, and no eviction. While they cannot be
// asked, what needs the ledger gets 503, and it goes on by itself.
//
// Placeholders such as {env.*} and {file.*} are expanded in every text.
type RedisLedger struct {
	// One server, in the place of addresses, username, password and db:
	// redis://user:password@host:port/db, rediss:// for TLS, or
	// unix:///path?db=n. All but the host and the path can be left out.
	URL string `json:"url,omitempty"`

	// host:port of the server, of some nodes of a cluster, or of the Sentinels;
	// or the path of a Unix socket. Default: none, and url is needed.
	Addresses []string `json:"addresses,omitempty"`

	// The user of Redis' access lists. Default: Redis' user "default".
	Username string `json:"username,omitempty"`

	// The password. Never write it here itself: use a placeholder. Default:
	// none.
	Password string `json:"password,omitempty"`

	// The number of the database. Default: 0.
	DB int `json:"db,omitempty"`

	// TLS to the servers, and to the Sentinels. Default: without, and with it
	// where the url begins with rediss.
	TLS *RedisTLS `json:"tls,omitempty"`

	// The master is the one that the Sentinels at the addresses name. Default:
	// the address is the server itself.
	Sentinel *RedisSentinel `json:"sentinel,omitempty"`

	// The addresses are nodes of a Redis Cluster. Default: they are not.
	Cluster bool `json:"cluster,omitempty"`

	// What the ledger's keys in Redis begin with, so that several ledgers share a
	// server: at most 64 letters, digits, points, underscores and hyphens.
	// Default: paywall.
	Name string `json:"name,omitempty"`

	// How many parts a new ledger has, 1 to 4096, which the nodes of a cluster
	// share. It never changes: a ledger that has another number is refused.
	// Default: that of the ledger that is there; of a new one 1, and 6 in a
	// cluster.
	Shards int `json:"shards,omitempty"`

	// What has happened to a page view before it is answered: "strict" is on the
	// master's disk and received by a replica, "durable" on the master's disk,
	// "fast" on its disk within a second, which a power cut loses. All other
	// money is always as safe as the servers offer. Default: durable.
	Durability string `json:"durability,omitempty"`

	// Starts on servers that hide what they promise, as some hosted ones do:
	// the operator answers for their AOF, and that they evict nothing. Default:
	// they are refused.
	AssumeDurable bool `json:"assume_durable,omitempty"`

	// How long one answer of a server is waited for, 50 milliseconds to two
	// seconds. Default: 1 second.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// The directory that takes the older part of the journal, so that it does not
	// fill Redis' memory. One Caddy has it, on whatever machine. Default: none,
	// and all of it stays in Redis.
	Archive string `json:"archive,omitempty"`

	// How long what has been archived stays in Redis too, two hours at least.
	// Default: 7 days.
	Keep caddy.Duration `json:"keep,omitempty"`

	// A pointer, because it knows the password: whoever prints a ledger prints no
	// more than where this is.
	store *redisStore
}

// RedisTLS is how a server is known, and this Caddy to it. That a server can be
// known is not optional.
type RedisTLS struct {
	// The file with the certificates, in PEM, that the server's must come from.
	// Default: those that the system trusts.
	CA string `json:"ca,omitempty"`

	// The files, in PEM, of the certificate and the key that this Caddy shows.
	// Default: none.
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`

	// The name that the server's certificate must be of. Default: the host of
	// its address.
	ServerName string `json:"server_name,omitempty"`
}

// RedisSentinel is what the Sentinels want to know.
type RedisSentinel struct {
	// The name of the master that they watch. Required.
	Master string `json:"master,omitempty"`

	// Those of the Sentinels themselves. Default: none.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (RedisLedger) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "paywall.ledgers.redis", New: func() caddy.Module { return new(RedisLedger) }}
}

// Provision settles which servers are meant. It reads the files that the
// configuration names, and asks no server: it also runs for caddy validate.
func (l *RedisLedger) Provision(caddy.Context) (err error) {
	if l.store, err = l.settle(); err != nil {
		return fmt.Errorf("ledger redis: %w", err)
	}
	return nil
}

// Interface guards
var (
	_ LedgerModule          = (*RedisLedger)(nil)
	_ LedgerImporter        = (*RedisLedger)(nil)
	_ LedgerAdviser         = (*RedisLedger)(nil)
	_ caddy.Provisioner     = (*RedisLedger)(nil)
	_ caddyfile.Unmarshaler = (*RedisLedger)(nil)
)
