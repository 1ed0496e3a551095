package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Durability is what an acknowledgement of a page view promises. Money that
// moves otherwise (top-ups, transfers, vouchers, who may open a wallet) is
// always acknowledged at the strictest that the servers offer.
type Durability uint8

// The durabilities, the strictest first.
const (
	// Strict: synced to the master's disk before the answer, and received by a
	// replica. It survives a power cut and the loss of the master.
	Strict Durability = iota + 1
	// Durable: synced to the master's disk before the answer. It survives a
	// power cut; the loss of the master loses what no replica had received.
	Durable
	// Fast: synced once a second. It survives a kill -9; a power cut loses up to
	// a second of views, and two where the disk is slow.
	Fast
)

var durabilityNames = [...]string{Strict: "strict", Durable: "durable", Fast: "fast"}

func (d Durability) String() string {
	if d >= Strict && int(d) < len(durabilityNames) {
		return durabilityNames[d]
	}
	return "unknown"
}

// ParseDurability reads the name of a durability.
func ParseDurability(s string) (Durability, error) {
	for d := Strict; d <= Fast; d++ {
		if d.String() == s {
			return d, nil
		}
	}
	return 0, fmt.Errorf("durability %q must be strict, durable or fast", s)
}

// Options say where the servers are and what they promise. Addresses is
// required, or URL in its place.
type Options struct {
	// URL is one server: redis://user:password@host:port/db, rediss:// for TLS,
	// or unix:///path. It excludes Addresses, Username, Password and DB.
	URL string

	// Addresses are host:port of one server, of some nodes of a Cluster, or of
	// the Sentinels; a path that begins with / is a Unix socket.
	Addresses []string

	Username, Password string
	DB                 int // of one server or of Sentinel's master

	// TLS is how to talk to the servers, and the Sentinels. Default: without.
	TLS *tls.Config

	// Master is the name of the master that the Sentinels at Addresses watch.
	// Default: the addresses are the servers themselves.
	Master                             string
	SentinelUsername, SentinelPassword string

	// Cluster says that Addresses are nodes of a Redis Cluster.
	Cluster bool

	// Name is what all keys of the ledger begin with, so that several ledgers
	// share a server: letters, digits, '.', '_' and '-'. Default: paywall.
	Name string

	// Shards is the number of shards of a new ledger, 1 to MaxShards. It never
	// changes; a ledger that has another number is refused, and zero takes
	// what is there. Default of a new ledger: 1, and 6 in a Cluster.
	Shards int

	// MustBe is the ID of the ledger that has to be there: no other one is taken, and
	// none begun. It is for whoever has had it open, because a new one in its place
	// would hide that it has gone. Default: whatever is there.
	MustBe string

	// Durability of page views. Default: Durable.
	Durability Durability

	// AssumeDurable starts on servers that do not say what they promise,
	// because a managed service hides CONFIG: the operator answers for them.
	AssumeDurable bool

	// Timeout is how long one answer of a server is waited for. Default: 1 s.
	Timeout time.Duration

	// Patience is how long an operation is sent again while the servers cannot
	// be reached, before it answers ErrUnavailable. Default: 5 s.
	Patience time.Duration

	// Clock tells the time. Default: the servers' own clocks, which all
	// instances share; a clock of the caller's is for tests and for a ledger
	// that is being imported.
	Clock func() time.Time

	// Log hears of what an operator should know. It never hears of wallets or
	// resources. Default: silence.
	Log *slog.Logger

	// Archive takes the journal out of the servers' memory. Default: none, and
	// the journal stays there. See Archive.
	Archive Archive

	// Keep is how long an archived entry stays in the servers' memory too, at
	// least MinKeep. Default: 7 days.
	Keep time.Duration

	pace *pace // of archiving, for tests; Keep is part of it

	library *library // a test's, with smaller limits

	promisesEvery time.Duration // between two looks at what the servers promise, for tests
}

// Limits of the options.
const (
	MaxShards = 4096
	MinKeep   = 2 * time.Hour

	maxName            = 64
	defaultName        = "paywall"
	defaultShards      = 1
	defaultClusterSize = 6
	defaultTimeout     = time.Second
	defaultPatience    = 5 * time.Second
	defaultKeep        = 7 * 24 * time.Hour
)

// Check reports what Open would refuse of the options without asking the servers.
func (o Options) Check() error { return o.settle() }

// settle checks the options and fills in the defaults.
func (o *Options) settle() error {
	if (o.URL == "") == (len(o.Addresses) == 0) {
		return errors.New("give either a url or addresses")
	}
	if o.URL != "" && (o.Username != "" || o.Password != "" || o.DB != 0) {
		return errors.New("a url has the username, the password and the database in it; leave out the others")
	}
	switch {
	case o.Cluster && o.Master != "":
		return errors.New("sentinel and cluster exclude each other")
	case o.Cluster && o.DB != 0:
		return errors.New("a cluster has only database 0")
	case o.URL != "" && (o.Cluster || o.Master != ""):
		return errors.New("a cluster and sentinels are given by their addresses, not by a url")
	case !o.Cluster && o.Master == "" && len(o.Addresses) > 1:
		return errors.New("several addresses are those of a cluster or of sentinels; say which: cluster, or sentinel <master>")
	case o.Shards < 0 || o.Shards > MaxShards:
		return fmt.Errorf("%d shards, must be 1 to %d", o.Shards, MaxShards)
	case o.Durability > Fast:
		return fmt.Errorf("durability %d is none", o.Durability)
	case o.Keep != 0 && o.Keep < MinKeep:
		return fmt.Errorf("keep %v, must be %v at least: a retry is answered from the journal", o.Keep, MinKeep)
	case o.Timeout < 0 || o.Patience < 0:
		return errors.New("timeouts must not be negative")
	}
	if o.Name == "" {
		o.Name = defaultName
	}
	if err := checkName(o.Name); err != nil {
		return err
	}
	if o.Durability == 0 {
		o.Durability = Durable
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	orDefault(&o.Timeout, defaultTimeout)
	orDefault(&o.Patience, defaultPatience)
	orDefault(&o.Keep, defaultKeep)
	orDefault(&o.promisesEvery, promisesEvery)
	return nil
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("name of %d characters, must be at most %d", len(name), maxName)
	}
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return fmt.Errorf("name %q must be of letters, digits, '.', '_' and '-'", name)
		}
	}
	return nil
}
