package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// redisMemory is what a ledger on Redis takes: bytes for each.
type redisMemory struct {
	Wallets int `json:"wallets"`
	Views   int `json:"views"`

	Wallet        float64 `json:"wallet_bytes"` // that can be recovered and was funded once
	WalletIDs     float64 `json:"wallet_ids_bytes"`
	WalletJournal float64 `json:"wallet_journal_bytes"`

	View        float64 `json:"view_bytes"`
	ViewJournal float64 `json:"view_journal_bytes"`
	ViewAOF     float64 `json:"view_aof_bytes"`

	// The same when every wallet has had more views: the memory of all of these, since
	// it grows in steps, and the AOF of the last.
	Reader     int     `json:"views_of_a_wallet"`
	ReaderView float64 `json:"later_view_bytes"`
	ReaderAOF  float64 `json:"later_view_aof_bytes"`
}

// redisPlan is how large the ledger gets whose memory is measured.
type redisPlan struct {
	wallets int // 1 000 000
	first   int // views of each that are measured, its first
	skipped int // more views of each, before one more is measured
}

var largeRedis = redisPlan{1_000_000, 2, 9}

// redisSizes are what a server says of its memory.
type redisSizes struct {
	used, journal, ids, aof int
}

// rest is what is neither the journal nor ids of money.
func (s redisSizes) rest() int { return s.used - s.journal - s.ids }

// measureRedisMemory fills a ledger and looks at it in between.
func measureRedisMemory(ctx context.Context, dir string, plan redisPlan, progress io.Writer) (*redisMemory, error) {
	setup := redisSetups[0]
	setup.Name = "memory"
	dir, err := setup.makeDirectory(dir)
	if err != nil {
		return nil, err
	}
	books, err := setup.raiseBooks(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer books.stop()
	ledger, err := books.open()
	if err != nil {
		return nil, err
	}
	defer ledger.Close()
	var sizes []redisSizes
	look := func(what string) error {
		s, err := books.fleet[0].sizes(ctx)
		sizes = append(sizes, s)
		fmt.Fprintf(progress, "memory, %s: %+v\n", what, s)
		return err
	}
	if err := look("empty"); err != nil {
		return nil, err
	}
	c, err := gather(ctx, ledger, plan.wallets)
	if err != nil {
		return nil, err
	}
	if err := look("wallets"); err != nil {
		return nil, err
	}
	wallets, views := plan.wallets, plan.first*plan.wallets
	view := func(maker *maker, _ int) error { return c.charge(ctx, maker) }
	for _, step := range []struct {
		what  string
		views int
	}{{"first views", views}, {"more views", plan.skipped * plan.wallets}, {"a later view", plan.wallets}} {
		if err := c.each(callers, step.views, view); err != nil {
			return nil, err
		}
		if err := look(step.what); err != nil {
			return nil, err
		}
	}
	per := func(of func(redisSizes) int, step, n int) float64 {
		return float64(of(sizes[step])-of(sizes[step-1])) / float64(n)
	}
	later := float64(sizes[4].rest()-sizes[2].rest()) / float64((plan.skipped+1)*wallets)
	journal, aof := func(s redisSizes) int { return s.journal }, func(s redisSizes) int { return s.aof }
	return &redisMemory{
		Wallets: wallets, Views: views, Reader: plan.first + plan.skipped + 1,
		Wallet:        per(redisSizes.rest, 1, wallets),
		WalletIDs:     per(func(s redisSizes) int { return s.ids }, 1, wallets),
		WalletJournal: per(journal, 1, wallets),
		View:          per(redisSizes.rest, 2, views),
		ViewJournal:   per(journal, 2, views),
		ViewAOF:       per(aof, 2, views),
		ReaderView:    later,
		ReaderAOF:     per(aof, 4, wallets),
	}, nil
}

// sizes measures every key that grows with what it is asked about: the server counts
// all of it, and does not estimate.
func (s *redisServer) sizes(ctx context.Context) (z redisSizes, err error) {
	if z.used, err = s.info(ctx, "memory", "used_memory:"); err != nil {
		return z, err
	}
	if z.aof, err = s.info(ctx, "persistence", "aof_current_size:"); err != nil {
		return z, err
	}
	keys, err := s.client.Keys(ctx, "{paywall.0}*").Result()
	if err != nil {
		return z, err
	}
	for _, key := range keys {
		into := &z.journal
		switch _, name, _ := strings.Cut(key, "}"); {
		case strings.HasPrefix(name, "money:"):
			into = &z.ids
		case name != "journal":
			continue
		}
		n, err := s.client.MemoryUsage(ctx, key, 0).Result()
		if err != nil {
			return z, err
		}
		*into += int(n)
	}
	return z, nil
}

// write writes the sizes as a Markdown table.
func (m *redisMemory) write(w io.Writer) {
	fmt.Fprintf(w, "\n| Redis' memory, %d wallets, %d views | bytes |\n|---|---|\n", m.Wallets, m.Views)
	for _, one := range []struct {
		what  string
		bytes float64
	}{
		{"a wallet", m.Wallet},
		{"ids of a wallet's creation and funding, for a week", m.WalletIDs},
		{"journal of a wallet's creation and funding", m.WalletJournal},
		{"a view, of the first of a wallet, besides the journal", m.View},
		{fmt.Sprintf("a view, of the later up to a wallet's number %d", m.Reader), m.ReaderView},
		{"journal of a view", m.ViewJournal},
		{"AOF of a view, of the first of a wallet", m.ViewAOF},
		{fmt.Sprintf("AOF of a view, a wallet's number %d", m.Reader), m.ReaderAOF},
	} {
		fmt.Fprintf(w, "| %s | %.0f |\n", one.what, one.bytes)
	}
}
