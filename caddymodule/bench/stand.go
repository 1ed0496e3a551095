package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// stand is the three programs, and the readers.
type stand struct {
	dir      string
	programs programs
	readers  *readers
	nextPage int                 // number of the first page that nobody has paid for
	cookies  map[string]receipts // by site
	known    int                 // entries of the ledger when they were counted last

	upstream      *process
	bare, paywall *caddy
}

// caddy is one of the two Caddys.
type caddy struct {
	*process
	addresses
}

const ballastVariable = "BENCH_BALLAST" // as in package bare

// raise builds and starts everything in dir. Call lower in the end, after an
// error too.
func (s *stand) raise(ctx context.Context, count int, ballast bool) (err error) {
	if s.programs, err = build(ctx, s.dir); err != nil {
		return err
	}
	upstreamAddress, err := freeAddress()
	if err != nil {
		return err
	}
	s.upstream, err = launch(s.dir, "upstream", "http://"+upstreamAddress, nil, s.programs.upstream, upstreamAddress)
	if err != nil {
		return err
	}
	at, err := drawAddresses()
	if err != nil {
		return err
	}
	if s.readers, err = makeReaders(ctx, s.dir, count, at, time.Now()); err != nil {
		return fmt.Errorf("making readers: %w", err)
	}
	s.nextPage = count
	s.paywall, err = s.launchCaddy("paywall", s.programs.paywall, at, upstreamAddress, s.readers.ledger, s.readers.environment)
	if err != nil {
		return err
	}
	if err := s.acquaint(ctx); err != nil {
		return err
	}
	if s.known, err = s.entries(ctx); err != nil {
		return err
	}
	return s.raiseBare(upstreamAddress, ballast)
}

// raiseBare starts the bare Caddy, with ballast as much memory in use as the
// paywall has with all its readers.
func (s *stand) raiseBare(upstream string, ballast bool) error {
	at, err := drawAddresses()
	if err != nil {
		return err
	}
	var env []string
	if ballast {
		inUse, err := s.paywall.collect()
		if err != nil {
			return err
		}
		env = append(env, ballastVariable+"="+strconv.Itoa(inUse))
	}
	s.bare, err = s.launchCaddy("bare", s.programs.bare, at, upstream, "", env)
	return err
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
	for _, c := range []*caddy{s.bare, s.paywall} {
		if c != nil {
			c.stop()
		}
	}
	if s.upstream != nil {
		s.upstream.stop()
	}
}
