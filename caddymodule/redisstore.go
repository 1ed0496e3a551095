package caddymodule

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis"
)

// redisStore is a RedisLedger with its placeholders expanded and its files read.
type redisStore struct {
	options      redis.Options
	archive      string // a directory, or none
	certificates []byte // a hash of the files of TLS
	key          string

	opened atomic.Pointer[string] // the id of the ledger that was there first
}

// StoreKey implements LedgerModule. Whatever changes the connection makes another
// store, so that a password or a certificate that was changed is used after a
// reload: its ledger is beside the old one for a moment, as that of another machine
// would be.
func (l *RedisLedger) StoreKey() string { return l.store.key }

// processKey hides secrets in store keys: without it, who reads one could try
// passwords at leisure. It is global because the keys of a process are compared.
var processKey = sync.OnceValue(func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	return key
})

func (s *redisStore) makeKey() string {
	o := &s.options
	sum := hmac.New(sha256.New, processKey())
	for _, part := range append([]string{
		o.Username, o.Password, strconv.Itoa(o.DB), strconv.FormatBool(o.TLS != nil), string(s.certificates), s.serverName(),
		o.Master, o.SentinelUsername, o.SentinelPassword, strconv.FormatBool(o.Cluster), o.Name, strconv.Itoa(o.Shards),
		o.Durability.String(), strconv.FormatBool(o.AssumeDurable), o.Timeout.String(), s.archive, o.Keep.String(),
	}, o.Addresses...) {
		_ = binary.Write(sum, binary.BigEndian, uint64(len(part))) // a hash takes everything
		sum.Write([]byte(part))
	}
	return fmt.Sprintf("redis:%s@%s/%d#%x", o.Name, strings.Join(o.Addresses, ","), o.DB, sum.Sum(nil)[:12])
}

func (s *redisStore) serverName() string {
	if s.options.TLS == nil {
		return ""
	}
	return s.options.TLS.ServerName
}

// OpenLedger implements LedgerModule.
func (l *RedisLedger) OpenLedger(log *slog.Logger, existing bool) (wallet.Ledger, error) {
	options := l.store.options
	options.Log = log
	if id := l.store.opened.Load(); existing && id != nil {
		options.MustBe = *id
	}
	return l.store.open(options)
}

// OpenLedgerAt implements LedgerImporter.
func (l *RedisLedger) OpenLedgerAt(log *slog.Logger, clock func() time.Time) (wallet.Ledger, error) {
	options := l.store.options
	options.Log, options.Clock = log, clock
	return l.store.open(options)
}

func (s *redisStore) open(options redis.Options) (wallet.Ledger, error) {
	if s.archive != "" {
		ledger, err := openArchived(options, s.archive)
		if err != nil {
			return nil, err
		}
		s.remember(ledger.ID())
		return ledger, nil
	}
	ledger, err := redis.Open(options)
	if err != nil {
		return nil, err
	}
	s.remember(ledger.ID())
	return ledger, nil
}

// remember keeps which ledger it was.
func (s *redisStore) remember(id string) { s.opened.Store(&id) }

// Advice implements LedgerAdviser.
func (*RedisLedger) Advice() string {
	return "the health and the load of Redis, its disk and the network"
}
