package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// servers are the Redis servers, however many they are.
type servers struct {
	one     *goredis.Client        // a single server, or the master that Sentinels name
	cluster *goredis.ClusterClient // else

	connections atomic.Uint64 // made so far: a new one may lead to another master
}

// poolSize is how many connections to one server there are at most: flights need two
// for each shard, and whoever reads the journal one.
const poolSize = 32

// dial makes the client. It connects at the first use. The library's own retries are
// off: it would send again what may have taken effect, whatever it is. A flight is
// sent again by those who know that its ids make that harmless.
func dial(o *Options) (*servers, error) {
	s := new(servers)
	connected := func(ctx context.Context, c *goredis.Conn) error {
		s.connections.Add(1)
		return freshen(ctx, c)
	}
	noNotices := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case o.URL != "":
		options, err := goredis.ParseURL(o.URL)
		if err != nil {
			return nil, errors.New("the url is none: " + withoutSecrets(err, o.URL))
		}
		options.OnConnect, options.MaintNotificationsConfig = connected, noNotices
		limit(options, o)
		if options.TLSConfig != nil && o.TLS != nil {
			config := o.TLS.Clone()
			if config.ServerName == "" {
				config.ServerName = options.TLSConfig.ServerName
			}
			options.TLSConfig = config
		}
		s.one = goredis.NewClient(options)
	case o.Cluster:
		s.cluster = goredis.NewClusterClient(&goredis.ClusterOptions{
			Addrs: o.Addresses, Username: o.Username, Password: o.Password, TLSConfig: o.TLS,
			MaxRetries: -1, DialerRetries: 1, MaxRedirects: -1, DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout,
			PoolSize: poolSize, PoolTimeout: o.Timeout, ContextTimeoutEnabled: true, DisableIdentity: true,
			OnConnect: connected, MaintNotificationsConfig: noNotices,
		})
	case o.Master != "":
		s.one = goredis.NewFailoverClient(&goredis.FailoverOptions{
			MasterName: o.Master, SentinelAddrs: o.Addresses,
			SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
			Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLS,
			MaxRetries: -1, DialerRetries: 1, DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout,
			PoolSize: poolSize, PoolTimeout: o.Timeout, ContextTimeoutEnabled: true, DisableIdentity: true,
			OnConnect: connected,
		})
	default:
		options := &goredis.Options{
			Addr: o.Addresses[0], Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLS,
			OnConnect: connected, MaintNotificationsConfig: noNotices,
		}
		if strings.HasPrefix(options.Addr, "/") {
			options.Network = "unix"
		}
		limit(options, o)
		s.one = goredis.NewClient(options)
	}
	return s, nil
}

func limit(options *goredis.Options, o *Options) {
	options.MaxRetries, options.DialerRetries = -1, 1
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
	options.PoolSize, options.PoolTimeout = poolSize, o.Timeout
	options.ContextTimeoutEnabled, options.DisableIdentity = true, true
}

// withoutSecrets is an error's text without the url, which may have a password in it.
func withoutSecrets(err error, url string) string {
	return strings.ReplaceAll(err.Error(), url, "…")
}

// master is the client of the server that has a key's slot.
func (s *servers) master(ctx context.Context, key string) (*goredis.Client, error) {
	if s.one != nil {
		return s.one, nil
	}
	return s.cluster.MasterForKey(ctx, key)
}

// eachMaster calls do for every server that takes writes.
func (s *servers) eachMaster(ctx context.Context, do func(ctx context.Context, c *goredis.Client) error) error {
	if s.one != nil {
		return do(ctx, s.one)
	}
	return s.cluster.ForEachMaster(ctx, do)
}

func (s *servers) close() error {
	if s.one != nil {
		return s.one.Close()
	}
	return s.cluster.Close()
}

// refusal is what a server's error says about the command: whether it was certainly
// not carried out, and where to go instead.
type refusal struct {
	certain bool   // nothing has changed
	moved   bool   // the slot is elsewhere for good
	ask     string // the slot is on its way to this address, and this command goes there
}

// refusals are the errors with which a server turns a command away before it has
// changed anything.
var refusals = []string{
	"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "TRYAGAIN", "OOM", "MISCONF", "NOAUTH",
	"WRONGPASS", "NOPERM", "BUSY", "GONE", notLoaded, "ERR max number of clients",
}

// refusesWrites reports whether a server that answers so still answers who only looks.
func refusesWrites(err error) bool {
	return slices.ContainsFunc([]string{"OOM", "READONLY", "MISCONF", "NOREPLICAS"}, func(prefix string) bool { return hasPrefix(err, prefix) })
}

// classify says what is known after an error.
func classify(err error) (r refusal) {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" || errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrPoolExhausted) {
		return refusal{certain: true}
	}
	text := err.Error()
	if to, found := strings.CutPrefix(text, "ASK "); found {
		if _, address, ok := strings.Cut(to, " "); ok {
			return refusal{certain: true, ask: address}
		}
	}
	if strings.HasPrefix(text, "MOVED ") {
		return refusal{certain: true, moved: true}
	}
	for _, prefix := range refusals {
		if strings.HasPrefix(text, prefix) {
			return refusal{certain: true}
		}
	}
	return refusal{}
}

// node is the client of the node of a cluster at an address.
func (s *servers) node(ctx context.Context, address string) (*goredis.Client, error) {
	var found atomic.Pointer[goredis.Client]
	err := s.cluster.ForEachShard(ctx, func(_ context.Context, c *goredis.Client) error {
		if c.Options().Addr == address {
			found.Store(c)
		}
		return nil
	})
	if found.Load() == nil && err == nil {
		err = fmt.Errorf("no node of the cluster is at %s", address)
	}
	return found.Load(), err
}

// cure says what an operator does about an error, or nothing.
func cure(err error) string {
	text := err.Error()
	for prefix, advice := range map[string]string{ //nolint:gosec // G101: they say what to do about credentials, and are none
		"OOM":         "Redis has reached maxmemory: raise it, or archive the journal",
		"MISCONF":     "Redis cannot write to its disk: look at the disk's room and health, and at Redis' log",
		"READONLY":    "this server is a replica: give the address of the master, or of the Sentinels",
		"NOREPLICAS":  "min-replicas-to-write is not met: look at the replicas",
		"NOAUTH":      "Redis wants a password: set password in the option ledger redis",
		"WRONGPASS":   "Redis refuses the username or the password: compare them with its users",
		"NOPERM":      "the Redis user may not do this: give it the keys of the ledger and its commands",
		"CLUSTERDOWN": "the cluster has no master for a slot: look at its nodes",
		"GONE":        "Redis has lost the ledger: bring back its data (the AOF)",
		"LOADING":     "Redis is loading its data and will answer when it has",
	} {
		if strings.HasPrefix(text, prefix) {
			return advice
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "Redis does not answer in time: look at its load, its disk and the network"
	case isUntrusted(err):
		return "Redis' certificate is not signed by who is trusted: give the authority's in ca of the option tls, and server_name where it is for another name"
	case strings.Contains(text, "tls: "):
		return "Redis and the option tls do not agree: compare ca, cert and key with those of Redis"
	case strings.Contains(text, "refused"), strings.Contains(text, "no such file"):
		return "nothing listens there: start Redis, or correct the address"
	}
	return "look at Redis and the network"
}

// isUntrusted reports whether a server has shown a certificate that nobody vouches for.
func isUntrusted(err error) bool {
	var untrusted *tls.CertificateVerificationError
	return errors.As(err, &untrusted)
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// pause is how long is waited before the n-th time that something is sent again.
func pause(n int) time.Duration {
	return min(5*time.Millisecond<<min(n, 6), 200*time.Millisecond)
}
