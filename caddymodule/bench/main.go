package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/bench/scale"
)

// options are what the flags say.
type options struct {
	rounds  int
	window  time.Duration // of a run
	wallets int
	only    *regexp.Regexp
	profile string // path of the file; empty: none
	dir     string
	json    bool
	field   bool
	ballast bool
	scale   bool
	large   scale.Options // of the ledger that -scale measures

	taps int // of each run of a kind of card; zero: none

	redis       bool
	redisMemory bool
	redisSizes  redisPlan // of the ledger that -redis-memory measures
}

const (
	leastWallets = fewConnections
	mostWallets  = 1_000_000
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, flags(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func flags() (o options) {
	o.only, o.redisSizes = regexp.MustCompile(""), largeRedis
	flag.IntVar(&o.rounds, "rounds", 5, "how often every row runs")
	flag.DurationVar(&o.window, "duration", 3*time.Second, "how long a run is")
	flag.IntVar(&o.wallets, "wallets", 100_000, "how many readers take turns")
	flag.StringVar(&o.dir, "dir", "bin", "the folder to work in: its disk is the ledger's")
	flag.StringVar(&o.profile, "profile", "", "also write the CPU profile of the paywall's process in the row that -only chooses to this file")
	flag.BoolVar(&o.json, "json", false, "print JSON in place of a table")
	flag.BoolVar(&o.ballast, "ballast", true, "give bare Caddy as much memory in use as the paywall has, so that it collects garbage as seldom")
	flag.BoolVar(&o.scale, "scale", false, "also measure a ledger of a million wallets and ten million entries")
	taps := flag.Bool("taps", false, "also measure taps of cards at a kiosk")
	flag.BoolVar(&o.redis, "redis", false, "also measure ledgers on Redis; needs redis-server")
	flag.BoolVar(&o.redisMemory, "redis-memory", false, "also measure how much of Redis' memory a million wallets and their views take, some minutes; needs redis-server")
	flag.BoolVar(&o.field, "field", false, "measure others' middlewares in place of the paywall; needs Node.js and the npm registry")
	flag.Func("only", "run only the rows that match this regular expression, such as 'file_server, 256.*paid'", func(text string) (err error) {
		o.only, err = regexp.Compile(text)
		return err
	})
	flag.Parse()
	if *taps {
		o.taps = tapsEach
	}
	return o
}

func (o options) check() error {
	switch {
	case o.rounds < 1:
		return errors.New("-rounds must be at least 1")
	case o.window <= 0:
		return errors.New("-duration must be above zero")
	case o.wallets < leastWallets || o.wallets > mostWallets:
		return fmt.Errorf("-wallets must be %d to %d", leastWallets, mostWallets)
	}
	return nil
}

// result is what is printed.
type result struct {
	Machine machine       `json:"machine"`
	Lines   []line        `json:"lines"`
	Scale   *scale.Result `json:"scale,omitempty"`
	Redis   *redisResult  `json:"redis,omitempty"`
	Taps    *tapResult    `json:"taps,omitempty"`
}

// bench measures what the options choose and writes the result to out.
func bench(ctx context.Context, o options, out, progress io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	dir, err := workingDirectory(o.dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writeScript(dir); err != nil {
		return err
	}
	found := result{Machine: describeMachine(ctx, dir)}
	if o.field {
		version, _ := exec.CommandContext(ctx, "node", "--version").Output()
		found.Machine.Node = first(version)
		found.Lines, err = benchField(ctx, o, dir, progress)
	} else {
		err = benchOurs(ctx, o, dir, progress, &found)
	}
	if err != nil {
		return err
	}
	if o.scale {
		o.large.Dir = dir
		large, err := scale.Run(ctx, o.large)
		if err != nil {
			return err
		}
		found.Scale = &large
	}
	return found.write(out, o.json)
}

// benchOurs measures the paywall in dir, with every ledger that the options ask for.
func benchOurs(ctx context.Context, o options, dir string, progress io.Writer, found *result) error {
	if err := o.checkRows(); err != nil {
		return err
	}
	built, err := build(ctx, dir)
	if err != nil {
		return err
	}
	if groups := chosen(allGroups(), o.only); len(groups) > 0 {
		if found.Lines, err = benchStand(ctx, o, &stand{dir: dir, programs: built}, groups, progress); err != nil {
			return err
		}
	}
	if o.redis || o.redisMemory {
		if found.Redis, err = benchRedis(ctx, o, built, dir, progress); err != nil {
			return err
		}
	}
	if o.taps > 0 {
		found.Taps, err = benchTaps(ctx, o, built, dir, progress)
	}
	return err
}

// checkRows finds a pattern that chooses nothing, or too much.
func (o options) checkRows() error {
	rows, paywalls := 0, 0
	count := func(groups []group) {
		for _, g := range chosen(groups, o.only) {
			paywalls += len(g)
		}
	}
	count(allGroups())
	if o.redis {
		for _, setup := range redisSetups {
			count(redisGroups(setup))
		}
		for _, setup := range aloneSetups {
			rows += len(chosenAlone(setup, o.only))
		}
	}
	switch rows += paywalls; {
	case rows == 0 && !o.redisMemory && o.taps == 0:
		return fmt.Errorf("no row matches %q", o.only)
	case o.profile != "" && (rows != 1 || paywalls != 1):
		return errors.New("-profile is of one row that has a Caddy; choose it with -only")
	}
	return nil
}

// benchStand raises a stand and measures the rows there.
func benchStand(ctx context.Context, o options, s *stand, groups []group, progress io.Writer) ([]line, error) {
	defer s.lower()
	if err := s.raise(ctx, o.wallets, o.ballast); err != nil {
		return nil, err
	}
	if s.redis == nil {
		if err := s.giveReceipts(ctx); err != nil {
			return nil, err
		}
	}
	lines, err := (&measurement{s, groups, progress}).measure(ctx, o)
	if err != nil || o.profile == "" {
		return lines, err
	}
	return lines, s.profile(ctx, groups[0][0], o.window, o.profile)
}

// workingDirectory makes a folder below dir, which it makes where it is missing.
func workingDirectory(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	return os.MkdirTemp(dir, "bench-")
}

func (r result) write(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	fmt.Fprintf(w, "%v\n\n", r.Machine)
	if len(r.Lines) > 0 {
		writeTable(w, r.Lines)
	}
	if r.Scale != nil {
		writeScale(w, r.Scale)
	}
	if r.Redis != nil {
		r.Redis.write(w)
	}
	if r.Taps != nil {
		writeTaps(w, r.Taps)
	}
	return nil
}
