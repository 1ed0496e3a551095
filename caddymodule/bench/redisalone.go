package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"syscall"
	"time"
)

// aloneRow is one thing that a number of callers ask of a ledger on Redis which has no
// Caddy before it.
type aloneRow struct {
	Setup   string `json:"setup"`
	What    string `json:"what"`
	Callers int    `json:"callers"`
}

func (r aloneRow) String() string {
	return fmt.Sprintf("%s, the ledger alone, %d callers, %s", r.Setup, r.Callers, r.What)
}

// aloneLine is what was measured of it: medians.
type aloneLine struct {
	aloneRow
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	ClientCPU float64 `json:"client_cpu_us"`
	RedisCPU  float64 `json:"redis_cpu_us"`
	Together  float64 `json:"questions_a_command"`
	Runs      int     `json:"runs"`
}

const (
	chargeRow   = "charge"
	standingRow = "standing"
)

// aloneCallers are how many callers charge at once.
var aloneCallers = []int{1, 16, fewConnections, manyConnections}

// alone is a ledger on Redis in which the benchmark itself charges.
type alone struct {
	books *redisBooks
	crowd *crowd
	rows  []aloneRow
	lines map[aloneRow][]aloneLine // one for each round
}

// benchAlone measures the ledger without a Caddy, on one server of its own for each
// way to sync, in turns.
func benchAlone(ctx context.Context, o options, dir string, progress io.Writer) (lines []aloneLine, err error) {
	var all []*alone
	defer func() {
		for _, a := range all {
			a.lower()
		}
	}()
	for _, setup := range aloneSetups {
		if rows := chosenAlone(setup, o.only); len(rows) > 0 {
			a, err := raiseAlone(ctx, setup, o.wallets, dir)
			if err != nil {
				return nil, err
			}
			a.rows = rows
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	for n := range o.rounds {
		for _, a := range all {
			if err := a.round(ctx, o.window); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(progress, "round %d of %d of the ledger alone\n", n+1, o.rounds)
	}
	for _, a := range all {
		for _, r := range a.rows {
			lines = append(lines, medians(a.lines[r]))
		}
		if err := a.books.prove(ctx, o.wallets); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func chosenAlone(setup redisSetup, only *regexp.Regexp) (rows []aloneRow) {
	for _, n := range aloneCallers {
		rows = append(rows, aloneRow{setup.Name, chargeRow, n})
	}
	rows = append(rows, aloneRow{setup.Name, standingRow, manyConnections})
	return slices.DeleteFunc(rows, func(r aloneRow) bool { return !only.MatchString(r.String()) })
}

// raiseAlone starts Redis and fills the ledger.
func raiseAlone(ctx context.Context, setup redisSetup, wallets int, dir string) (*alone, error) {
	setup.Name += ", alone"
	dir, err := setup.makeDirectory(dir)
	if err != nil {
		return nil, err
	}
	a := &alone{lines: make(map[aloneRow][]aloneLine)}
	if a.books, err = setup.raiseBooks(ctx, dir); err != nil {
		return nil, err
	}
	ledger, err := a.books.open()
	if err == nil {
		a.crowd, err = gather(ctx, ledger, wallets)
	}
	if err != nil {
		a.lower()
		return nil, fmt.Errorf("%s: %w", setup.Name, err)
	}
	return a, nil
}

func (a *alone) lower() {
	if a.crowd != nil {
		_ = a.crowd.ledger.Close() // what it has was verified, or does not matter
	}
	a.books.stop()
}

// round runs every row once.
func (a *alone) round(ctx context.Context, window time.Duration) error {
	for _, r := range a.rows {
		line, err := a.run(ctx, r, window)
		if err != nil {
			return fmt.Errorf("%v: %w", r, err)
		}
		a.lines[r] = append(a.lines[r], line)
	}
	return nil
}

// run is one run. Every charge that was answered is one that the site was paid for.
func (a *alone) run(ctx context.Context, r aloneRow, window time.Duration) (line aloneLine, err error) {
	do := a.crowd.charge
	if r.What == standingRow {
		do = a.crowd.stand
	}
	before, err := a.readings(ctx)
	if err != nil {
		return line, err
	}
	began := time.Now()
	took, err := a.crowd.load(r.Callers, window, func(m *maker) error { return do(ctx, m) })
	elapsed := time.Since(began)
	if err != nil {
		return line, err
	}
	after, err := a.readings(ctx)
	if err != nil {
		return line, err
	}
	if got := after.sold - before.sold; r.What == chargeRow && got != len(took) {
		return line, fmt.Errorf("%d charges were answered, and the site was paid for %d", len(took), got)
	}
	slices.Sort(took)
	n := float64(len(took))
	return aloneLine{
		aloneRow: r, Runs: 1,
		PerSecond: n / elapsed.Seconds(),
		P50:       float64(took[len(took)/2].Microseconds()),
		P99:       float64(took[len(took)*99/100].Microseconds()),
		ClientCPU: float64((after.client - before.client).Microseconds()) / n,
		RedisCPU:  float64((after.redis - before.redis).Microseconds()) / n,
		Together:  n / float64(after.flights-before.flights),
	}, nil
}

// aloneReadings are the meters before and after a run.
type aloneReadings struct {
	client, redis time.Duration // of processor time
	sold, flights int
}

func (a *alone) readings(ctx context.Context) (r aloneReadings, err error) {
	if r.sold, err = a.books.sold(ctx, crowdPrice); err != nil {
		return r, err
	}
	if r.flights, err = a.books.flights(ctx); err != nil {
		return r, err
	}
	for _, s := range a.books.fleet {
		used, err := s.cpu()
		if err != nil {
			return r, err
		}
		r.redis += used
	}
	var usage syscall.Rusage
	err = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	r.client = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return r, err
}

// medians is one line of the rounds'.
func medians(rounds []aloneLine) aloneLine {
	of := func(value func(aloneLine) float64) float64 {
		var values []float64
		for _, one := range rounds {
			values = append(values, value(one))
		}
		return median(values)
	}
	return aloneLine{
		aloneRow: rounds[0].aloneRow, Runs: len(rounds),
		PerSecond: of(func(l aloneLine) float64 { return l.PerSecond }),
		P50:       of(func(l aloneLine) float64 { return l.P50 }),
		P99:       of(func(l aloneLine) float64 { return l.P99 }),
		ClientCPU: of(func(l aloneLine) float64 { return l.ClientCPU }),
		RedisCPU:  of(func(l aloneLine) float64 { return l.RedisCPU }),
		Together:  of(func(l aloneLine) float64 { return l.Together }),
	}
}

// writeAlone writes the lines as a Markdown table.
func writeAlone(w io.Writer, lines []aloneLine) {
	fmt.Fprintln(w, "\n| the ledger alone | callers | question | per second | p50 µs | p99 µs | client CPU µs | Redis CPU µs | questions a command | runs |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|")
	for _, l := range lines {
		fmt.Fprintf(w, "| %s | %d | %s | %.0f | %.0f | %.0f | %.1f | %.1f | %.1f | %d |\n",
			l.Setup, l.Callers, l.What, l.PerSecond, l.P50, l.P99, l.ClientCPU, l.RedisCPU, l.Together, l.Runs)
	}
}
