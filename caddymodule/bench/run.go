package main

import (
	"context"
	"fmt"
	"time"
)

// sample is what one run has measured.
type sample struct {
	Rate        float64 // answers a second
	P50, P99    float64 // microseconds
	ServerCPU   float64 // microseconds of processor time for an answer; so the next two
	UpstreamCPU float64
	LedgerCPU   float64 // of Redis
	WrkCPU      float64
	Commands    float64 // that carried questions to Redis, for an answer
}

// cpu is the processor time of all programs for an answer, in microseconds.
func (s sample) cpu() float64 { return s.ServerCPU + s.UpstreamCPU + s.LedgerCPU + s.WrkCPU }

// judge finds answers that are not what the row is about.
func (r row) judge(counted report) error {
	expected := 0
	if r.refused {
		expected = counted.Answers
	}
	if counted.Refusals != expected {
		return fmt.Errorf("%d of %d answers have a status of 400 or more, not %d", counted.Refusals, counted.Answers, expected)
	}
	return nil
}

// runBare sends a row's requests to the bare Caddy, where all of them are free.
func (s *stand) runBare(ctx context.Context, r row, window time.Duration) (sample, error) {
	got, report, err := s.run(ctx, s.bare, r, r.load(s, window))
	r.refused = false
	if err == nil {
		err = r.judge(report)
	}
	if err != nil {
		return got, fmt.Errorf("%v, bare: %w", r, err)
	}
	return got, nil
}

// runPriced sends a row's requests to the paywall, and compares what wrk has
// counted with what the paywall and the ledger have.
func (s *stand) runPriced(ctx context.Context, r row, window time.Duration) (got sample, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%v: %w", r, err)
		}
	}()
	before, err := s.look(ctx, r)
	if err != nil {
		return got, err
	}
	flown, err := s.flights(ctx)
	if err != nil {
		return got, err
	}
	got, report, err := s.run(ctx, s.paywalls, r, r.load(s, window))
	if err != nil {
		return got, err
	}
	if r.fresh {
		s.nextPage += report.Sent
	}
	if err := r.judge(report); err != nil {
		return got, err
	}
	after, err := s.lookAgain(ctx, r)
	if err != nil {
		return got, err
	}
	landed, err := s.flights(ctx)
	if err != nil {
		return got, err
	}
	got.Commands = float64(landed-flown) / float64(report.Answers)
	return got, r.agree(before, after, report.Answers)
}

// run sends a row's load to the Caddys, which share its connections.
func (s *stand) run(ctx context.Context, caddys []*caddy, r row, l load) (sample, report, error) {
	w := watched{upstream: []*process{s.upstream}}
	var all []load
	for i, c := range caddys {
		mine := l
		mine.url = "http://" + c.of(r.Site) + "/"
		mine.connections = l.connections / len(caddys)
		mine.limit = l.limit / len(caddys)
		mine.first = l.first + i*len(s.readers.tokens)/len(caddys) // nobody asks both at once
		w.servers, all = append(w.servers, c.process), append(all, mine)
	}
	if s.redis != nil {
		w.ledger = s.redis.processes()
	}
	return observe(ctx, s.dir, all, w)
}

// watched is the processes whose processor time a run takes.
type watched struct {
	servers, upstream, ledger []*process
}

// cpu is the processor time that they have used so far.
func (w watched) cpu() (used [3]time.Duration, err error) {
	for i, some := range [][]*process{w.servers, w.upstream, w.ledger} {
		for _, p := range some {
			one, err := p.cpu()
			if err != nil {
				return used, err
			}
			used[i] += one
		}
	}
	return used, nil
}

func (w watched) collect() error {
	for _, p := range append(w.servers, w.upstream...) {
		if _, err := p.collect(); err != nil {
			return err
		}
	}
	return nil
}

// observe is one run of wrk, or of several at once, with the processor time that
// the servers take, and the upstream and Redis, where there is one.
func observe(ctx context.Context, dir string, all []load, w watched) (got sample, counted report, err error) {
	if err := w.collect(); err != nil {
		return got, counted, err
	}
	before, err := w.cpu()
	if err != nil {
		return got, counted, err
	}
	if counted, err = driveAll(ctx, dir, all); err != nil {
		return got, counted, err
	}
	after, err := w.cpu()
	if err != nil {
		return got, counted, err
	}
	for i, of := range []*float64{&got.ServerCPU, &got.UpstreamCPU, &got.LedgerCPU} {
		*of = float64((after[i] - before[i]).Microseconds()) / float64(counted.Answers)
	}
	got.WrkCPU = counted.Processor * 1e6 / float64(counted.Answers)
	got.Rate, got.P50, got.P99 = counted.Rate, counted.P50, counted.P99
	return got, counted, nil
}
