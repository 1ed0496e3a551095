package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/local"
)

// stand is the programs, and the readers.
type stand struct {
	dir      string
	programs programs
	redis    *redisBooks // whose servers run; nil: the ledger is the embedded one
	readers  *readers
	nextPage int                 // number of the first page that nobody has paid for
	cookies  map[string]receipts // by site
	known    int                 // entries of the ledger when they were counted last

	upstream       *process
	bare, paywalls []*caddy // as many of each
}

// caddy is one of the Caddys.
type caddy struct {
	*process
	addresses
}

const ballastVariable = "BENCH_BALLAST" // as in package bare

// raise starts everything in dir, with so many readers. Call lower in the end,
// after an error too.
func (s *stand) raise(ctx context.Context, count int, ballast bool) error {
	upstreamAddress, err := freeAddress()
	if err != nil {
		return err
	}
	s.upstream, err = launch(s.dir, "upstream", "http://"+upstreamAddress, nil, s.programs.upstream, upstreamAddress)
	if err != nil {
		return err
	}
	at := make([]addresses, s.caddys())
	for i := range at {
		if at[i], err = drawAddresses(); err != nil {
			return err
		}
	}
	directive, err := s.fill(ctx, count, at)
	if err != nil {
		return fmt.Errorf("making readers: %w", err)
	}
	s.nextPage = count
	for i := range at {
		c, err := s.launchCaddy(numbered("paywall", i), s.programs.paywall, at[i], upstreamAddress, directive, s.readers.environment)
		if err != nil {
			return err
		}
		s.paywalls = append(s.paywalls, c)
	}
	if err := s.acquaint(ctx); err != nil {
		return err
	}
	if s.known, err = s.entries(ctx); err != nil {
		return err
	}
	return s.raiseBare(upstreamAddress, ballast)
}

// caddys is how many Caddys share the ledger.
func (s *stand) caddys() int {
	if s.redis != nil {
		return s.redis.caddys
	}
	return 1
}

// numbered is a program's name, of which there may be several.
func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + strconv.Itoa(i+1)
}

// fill makes the readers, and returns what a Caddyfile says of the ledger. Only the
// embedded ledger has rows of pages that are read again.
func (s *stand) fill(ctx context.Context, count int, at []addresses) (directive string, err error) {
	var ledger wallet.Ledger
	var hosts []string
	if s.redis != nil {
		directive = s.redis.directive()
		ledger, err = s.redis.open()
	} else {
		dir := filepath.Join(s.dir, "ledger")
		directive, hosts = `ledger local "`+dir+`"`, []string{at[0].files, at[0].proxy}
		ledger, err = local.Open(local.Options{Dir: dir})
	}
	if err != nil {
		return "", err
	}
	s.readers, err = makeReaders(ctx, ledger, s.dir, count, hosts, time.Now())
	return directive, err
}

// raiseBare starts a bare Caddy for each with the paywall, with ballast as much memory
// in use as that has with all its readers.
func (s *stand) raiseBare(upstream string, ballast bool) error {
	for i, twin := range s.paywalls {
		at, err := drawAddresses()
		if err != nil {
			return err
		}
		var env []string
		if ballast {
			inUse, err := twin.collect()
			if err != nil {
				return err
			}
			env = append(env, ballastVariable+"="+strconv.Itoa(inUse))
		}
		c, err := s.launchCaddy(numbered("bare", i), s.programs.bare, at, upstream, "", env)
		if err != nil {
			return err
		}
		s.bare = append(s.bare, c)
	}
	return nil
}

// flights is how many commands have carried questions to Redis.
func (s *stand) flights(ctx context.Context) (int, error) {
	if s.redis == nil {
		return 0, nil
	}
	return s.redis.flights(ctx)
}

func (s *stand) launchCaddy(name, program string, at addresses, upstream, ledger string, env []string) (*caddy, error) {
	caddyfile, err := writeSites(s.dir, name, at, upstream, ledger)
	if err != nil {
		return nil, err
	}
	p, err := launch(s.dir, name, "http://"+at.admin, env, program, "run", "--config", caddyfile, "--adapter", "caddyfile")
	if err != nil {
		return nil, err
	}
	for _, address := range []string{at.files, at.proxy} {
		if err := p.ready("http://" + address + freePath); err != nil {
			p.stop()
			return nil, err
		}
	}
	return &caddy{p, at}, nil
}

// lower stops what raise has started.
func (s *stand) lower() {
	for _, c := range append(s.bare, s.paywalls...) {
		c.stop()
	}
	if s.upstream != nil {
		s.upstream.stop()
	}
}
