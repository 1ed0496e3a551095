package main

import (
	"context"
	"fmt"
	"io"
)

// redisResult is what -redis and -redis-memory measure.
type redisResult struct {
	Setups []setupLines `json:"setups,omitempty"`
	Alone  []aloneLine  `json:"alone,omitempty"`
	Memory *redisMemory `json:"memory,omitempty"`
}

// setupLines are the rows of one way to have the ledger on Redis.
type setupLines struct {
	Setup string `json:"setup"`
	Lines []line `json:"lines"`
}

func (r *redisResult) write(w io.Writer) {
	for _, s := range r.Setups {
		fmt.Fprintf(w, "\n%s\n\n", s.Setup)
		writeTable(w, s.Lines)
	}
	if len(r.Alone) > 0 {
		writeAlone(w, r.Alone)
	}
	if r.Memory != nil {
		r.Memory.write(w)
	}
}

// benchRedis measures what the options ask for of ledgers on Redis, in dir.
func benchRedis(ctx context.Context, o options, built programs, dir string, progress io.Writer) (r *redisResult, err error) {
	r = new(redisResult)
	if o.redis {
		for _, setup := range redisSetups {
			groups := chosen(redisGroups(setup), o.only)
			if len(groups) == 0 {
				continue
			}
			lines, err := benchSetup(ctx, o, setup, groups, built, dir, progress)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", setup.Name, err)
			}
			r.Setups = append(r.Setups, setupLines{setup.Name, lines})
		}
		if r.Alone, err = benchAlone(ctx, o, dir, progress); err != nil {
			return nil, err
		}
	}
	if o.redisMemory {
		r.Memory, err = measureRedisMemory(ctx, dir, o.redisSizes, progress)
	}
	return r, err
}

// benchSetup measures the rows with one set-up, in a directory of its own. All of its
// books are proved in the end: each run has looked at the site's account alone.
func benchSetup(ctx context.Context, o options, setup redisSetup, groups []group, built programs, dir string, progress io.Writer) (lines []line, err error) {
	if dir, err = setup.makeDirectory(dir); err != nil {
		return nil, err
	}
	if err := writeScript(dir); err != nil {
		return nil, err
	}
	books, err := setup.raiseBooks(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer books.stop()
	fmt.Fprintln(progress, setup.Name)
	if lines, err = benchStand(ctx, o, &stand{dir: dir, programs: built, redis: books}, groups, progress); err != nil {
		return nil, err
	}
	return lines, books.prove(ctx, o.wallets)
}
