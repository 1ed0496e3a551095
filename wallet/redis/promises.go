package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// promises are what the servers say about keeping what they are told. They are read at
// the start, which is refused where they do not do, and again all the time: somebody
// may change the configuration of a server that runs.
type promises struct {
	durability Durability
	assume     bool
	every      time.Duration // between two looks
	log        *slog.Logger
	servers    *servers

	replicas atomic.Int32 // online at the master that has the fewest
	loses    atomic.Bool  // an acknowledged view may be lost: by a failover or a power cut
	failover bool         // Sentinels may make a server the master that is no replica now
	broken   atomic.Pointer[error]

	mu     sync.Mutex
	warned map[string]bool // what the log has heard and is still so
}

// promisesEvery is the time between two looks at the servers.
const promisesEvery = 10 * time.Second

// promise is what one master says.
type promise struct {
	address  string
	version  string
	settings map[string]string // nil where it does not say
	info     map[string]string
}

// read asks every master, and returns why the ledger must not run on what they say.
func (p *promises) read(ctx context.Context) error {
	var mu sync.Mutex
	var errs []error
	warnings := make(map[string]bool)
	fewest, loses := -1, false
	err := p.servers.eachMaster(ctx, func(ctx context.Context, c *goredis.Client) error {
		said, err := askMaster(ctx, c)
		if err != nil {
			return err
		}
		warned, refused := said.judge(p.durability, p.assume)
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, refused)
		for _, w := range warned {
			warnings[w] = true
		}
		replicas := said.number("connected_slaves")
		if fewest < 0 || replicas < fewest {
			fewest = replicas
		}
		loses = loses || replicas > 0 || said.settings["appendfsync"] != "always"
		return nil
	})
	if err != nil {
		return err
	}
	p.replicas.Store(int32(max(fewest, 0)))
	if loses || p.failover {
		// From then on: a replica that is gone may come back as the master, without all
		// that was acknowledged while it was gone.
		p.loses.Store(true)
	}
	p.warn(warnings)
	return errors.Join(errs...)
}

// warn tells the log what is new.
func (p *promises) warn(warnings map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range warnings {
		if !p.warned[w] {
			p.log.Warn(w)
		}
	}
	p.warned = warnings
}

// watch reads the promises again and again until ctx ends. What no longer does stops
// the ledger until it does again.
func (p *promises) watch(ctx context.Context) {
	for {
		every := p.every
		if p.refusal() != nil {
			every = min(every, time.Second) // somebody is mending it
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		p.look(ctx)
	}
}

func (p *promises) look(ctx context.Context) {
	err := p.read(ctx)
	switch before := p.broken.Load(); {
	case err != nil && classifiable(err):
		return // whether a server answers, flights find out
	case err != nil && before == nil:
		err = fmt.Errorf("%w: %w", wallet.ErrUnavailable, err)
		p.broken.Store(&err)
		p.log.Error("the ledger's Redis no longer keeps what it is told; the paywall answers 503 until it does", "error", err)
	case err == nil && before != nil:
		p.broken.Store(nil)
		p.log.Info("the ledger's Redis keeps what it is told again")
	}
}

// classifiable reports whether an error is the connection's or the server's, and not a
// judgement of ours.
func classifiable(err error) bool {
	var judgement promiseError
	return !errors.As(err, &judgement)
}

// refusal is why the ledger must not be used now, or nil.
func (p *promises) refusal() error {
	if err := p.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// replicasFor is how many replicas must have a flight before it counts.
func (p *promises) replicasFor(money bool) int {
	if p.durability == Strict || money && p.replicas.Load() > 0 {
		return 1
	}
	return 0
}

// without reports whether a flight counts although too few replicas have it: where
// nobody has promised any, and none is there any more.
func (p *promises) without(ctx context.Context, replicas int, money bool) bool {
	if p.durability == Strict {
		return false
	}
	p.look(ctx)
	return p.replicasFor(money) < replicas
}

// promiseError is a judgement about a server.
type promiseError string

func (e promiseError) Error() string { return string(e) }

// askMaster asks one master.
func askMaster(ctx context.Context, c *goredis.Client) (*promise, error) {
	text, err := c.Info(ctx).Result()
	if err != nil {
		return nil, err
	}
	p := &promise{address: c.Options().Addr, info: infoFields(text)}
	p.version = p.info["redis_version"]
	settings, err := c.ConfigGet(ctx, "*").Result()
	var refused goredis.Error
	switch {
	case err == nil:
		p.settings = settings
	case errors.As(err, &refused):
		// it is hidden: NOPERM, or an unknown command
	default:
		return nil, err
	}
	return p, nil
}

func (p *promise) number(name string) int {
	n, _ := strconv.Atoi(p.info[name])
	return n
}

// judge says why a ledger must not run on the server, and what its operator should
// hear all the same.
func (p *promise) judge(d Durability, assume bool) (warnings []string, refused error) {
	var errs []error
	refuse := func(format string, args ...any) {
		errs = append(errs, promiseError("Redis at "+p.address+": "+fmt.Sprintf(format, args...)))
	}
	warn := func(format string, args ...any) {
		warnings = append(warnings, "Redis at "+p.address+": "+fmt.Sprintf(format, args...))
	}
	if major, _ := strconv.Atoi(strings.SplitN(p.version, ".", 2)[0]); major < leastVersion {
		refuse("it is version %s; the ledger needs Redis %d.0 or later", p.version, leastVersion)
	}
	if p.info["role"] == "slave" {
		refuse("it is a replica; give the address of the master, or of Sentinels")
	}
	if d == Strict && p.number("connected_slaves") == 0 {
		refuse("durability strict waits for a replica and none is connected; attach one (replicaof), or set durability durable")
	}
	switch {
	case p.settings != nil:
		p.judgeSettings(d, refuse, warn)
	case assume:
		warn("it hides its configuration, and assume_durable says that it keeps what it is told: an AOF, and maxmemory-policy noeviction")
	default:
		refuse("it hides its configuration (CONFIG), so nobody can tell whether it keeps what it is told; find out that it has an AOF (appendonly) and maxmemory-policy noeviction, and then set assume_durable")
	}
	if limit, used := p.number("maxmemory"), p.number("used_memory"); limit > 0 && used > limit/10*8 {
		warn("it uses %d of its %d bytes of maxmemory; at the limit the paywall answers 503: raise it, or archive the journal", used, limit)
	}
	if p.info["aof_enabled"] == "1" && p.info["aof_rewrites"] == "0" {
		warn("its user may not BGREWRITEAOF, and a Redis that is killed while it writes may then lose and invent money when it is started for the second time: ACL SETUSER … +bgrewriteaof")
	}
	if p.info["aof_last_write_status"] == "err" {
		warn("its last write to the AOF failed: look at the disk's room and health")
	}
	return warnings, errors.Join(errs...)
}

const leastVersion = 7

// judgeSettings judges what the configuration says.
func (p *promise) judgeSettings(d Durability, refuse, warn func(string, ...any)) {
	if policy := p.settings["maxmemory-policy"]; policy != "noeviction" {
		refuse("maxmemory-policy is %s, which deletes balances when memory is short: CONFIG SET maxmemory-policy noeviction", policy)
	}
	if p.settings["appendonly"] != "yes" {
		refuse("appendonly is no, so a restart loses money: CONFIG SET appendonly yes")
		return
	}
	switch sync := p.settings["appendfsync"]; {
	case sync == "always" && p.settings["no-appendfsync-on-rewrite"] == "yes" && d != Fast:
		refuse("no-appendfsync-on-rewrite is yes, so nothing is synced while the AOF is rewritten: CONFIG SET no-appendfsync-on-rewrite no")
	case sync == "always":
	case sync == "everysec" && d == Fast:
		warn("durability fast: a power cut loses up to a second of page views that were paid for, and of other money unless a replica has it")
	case sync == "everysec":
		refuse("appendfsync is everysec, which does not do for durability %s: CONFIG SET appendfsync always, or set durability fast, which loses up to a second of page views in a power cut", d)
	default:
		refuse("appendfsync is %s, which loses half a minute in a power cut: CONFIG SET appendfsync always, or everysec with durability fast", sync)
	}
	if p.number("connected_slaves") > 0 && p.settings["min-replicas-to-write"] == "0" {
		warn("min-replicas-to-write is 0: a master that is cut off goes on taking money that its successor does not know of: CONFIG SET min-replicas-to-write 1")
	}
}
