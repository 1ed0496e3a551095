package caddymodule

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis"
)

// From what a configuration says of Redis to the engine's options. No error holds
// a value: any text may have become the password by a slip of the pen.

// How long Redis is waited for. All of it together has to fit into the time that
// an answer waits for the ledger: a reader is rather told that it is down.
const (
	defaultRedisTimeout = time.Second
	minRedisTimeout     = 50 * time.Millisecond
	maxRedisTimeout     = 2 * time.Second
)

// redisPatience is how long an operation is sent again: what is left of
// settleTimeout for the last try and its pause.
func redisPatience(timeout time.Duration) time.Duration { return settleTimeout - 2*timeout }

// settle expands placeholders, reads files and checks everything that can be known
// without a server.
func (l *RedisLedger) settle() (*redisStore, error) {
	s := new(redisStore)
	for _, part := range []func(*redisStore) error{
		l.settleServer, l.settleSentinel, l.settleTLS, l.settleBooks, l.settleTimes,
	} {
		if err := part(s); err != nil {
			return nil, err
		}
	}
	if err := s.options.Check(); err != nil {
		return nil, err
	}
	s.key = s.makeKey()
	return s, nil
}

func (l *RedisLedger) settleServer(s *redisStore) (err error) {
	o := &s.options
	o.DB, o.Cluster = l.DB, l.Cluster
	if o.DB < 0 {
		return errors.New("db: a database has a number from 0")
	}
	if l.URL != "" {
		if len(l.Addresses) > 0 || l.Username != "" || l.Password != "" || l.DB != 0 || l.Sentinel != nil || l.Cluster {
			return errors.New("url says all about one server; leave out address, username, password, db, sentinel and cluster, or give address in its place")
		}
		text, err := expandHidden("url", l.URL)
		if err != nil {
			return err
		}
		return s.settleURL(text)
	}
	if len(l.Addresses) == 0 {
		return errors.New("it needs the servers: url redis://host:port, or address host:port")
	}
	for i, template := range l.Addresses {
		address, err := expandText(fmt.Sprintf("address %d", i+1), template)
		if err != nil {
			return err
		}
		if !isAddress(address) {
			return fmt.Errorf("address %d: write host:port, such as redis.internal:6379, or the path of a Unix socket; a redis:// address is a url", i+1)
		}
		o.Addresses = append(o.Addresses, address)
	}
	if o.Username, err = expandText("username", l.Username); err != nil {
		return err
	}
	o.Password, err = expandHidden("password", l.Password)
	return err
}

// isAddress reports whether a text can be where a server is. What may be a URL
// with a password is none.
func isAddress(text string) bool {
	if strings.HasPrefix(text, "/") {
		return true
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || strings.ContainsAny(host, "/@ ") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func (l *RedisLedger) settleSentinel(s *redisStore) (err error) {
	if l.Sentinel == nil {
		return nil
	}
	o := &s.options
	if l.Sentinel.Master == "" {
		return errors.New("sentinel needs the name of the master that it watches: sentinel mymaster")
	}
	if o.Master, err = expandText("sentinel", l.Sentinel.Master); err != nil {
		return err
	}
	if o.SentinelUsername, err = expandText("sentinel: username", l.Sentinel.Username); err != nil {
		return err
	}
	o.SentinelPassword, err = expandHidden("sentinel: password", l.Sentinel.Password)
	return err
}

func (l *RedisLedger) settleTLS(s *redisStore) (err error) {
	if l.TLS == nil {
		return nil
	}
	if l.URL != "" && s.options.TLS == nil {
		return errors.New("tls is of a url that begins with rediss://; write it so, or leave out tls")
	}
	s.options.TLS, s.certificates, err = l.TLS.load()
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	return nil
}

// settleBooks is about the ledger itself.
func (l *RedisLedger) settleBooks(s *redisStore) (err error) {
	o := &s.options
	o.Shards, o.AssumeDurable, o.Keep = l.Shards, l.AssumeDurable, time.Duration(l.Keep)
	if o.Name, err = expandText("name", l.Name); err != nil {
		return err
	}
	if l.Durability != "" {
		if o.Durability, err = redis.ParseDurability(l.Durability); err != nil {
			return err
		}
	}
	if l.Keep != 0 && l.Archive == "" {
		return errors.New("keep is about what has been archived; give archive <directory> too, or leave it out")
	}
	if s.archive, err = expandText("archive", l.Archive); err == nil && s.archive != "" {
		s.archive, err = filepath.Abs(s.archive)
	}
	return err
}

func (l *RedisLedger) settleTimes(s *redisStore) error {
	timeout := time.Duration(l.Timeout)
	if timeout == 0 {
		timeout = defaultRedisTimeout
	}
	if timeout < minRedisTimeout || timeout > maxRedisTimeout {
		return fmt.Errorf("timeout %v must be %v to %v: nobody waits for a page for longer than that", timeout, minRedisTimeout, maxRedisTimeout)
	}
	s.options.Timeout, s.options.Patience = timeout, redisPatience(timeout)
	return nil
}

// expandText expands the placeholders of an optional text. One that comes to
// nothing is an error.
func expandText(field, template string) (string, error) {
	if template == "" {
		return "", nil
	}
	text, err := expandSecret(template)
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	return text, nil
}

// expandHidden is expandText for a secret, which may have a brace in it that begins
// no placeholder: what is between braces is only told where it names its source.
func expandHidden(field, template string) (string, error) {
	text, err := expandText(field, template)
	if err == nil || strings.Count(template, "{") == 1 && (strings.HasPrefix(template, "{env.") || strings.HasPrefix(template, "{file.")) {
		return text, err
	}
	return "", fmt.Errorf(`%s: a placeholder in it is unknown or comes to nothing; write {env.NAME} or {file./path}, and \{ for a brace that is none`, field)
}
