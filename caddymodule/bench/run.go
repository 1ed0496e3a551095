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
	WrkCPU      float64
}

// cpu is the processor time of all programs for an answer, in microseconds.
func (s sample) cpu() float64 { return s.ServerCPU + s.UpstreamCPU + s.WrkCPU }

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
	got, report, err := s.run(ctx, s.paywall, r, r.load(s, window))
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
	return got, r.agree(before, after, report.Answers)
}

func (s *stand) run(ctx context.Context, c *caddy, r row, l load) (sample, report, error) {
	return observe(ctx, s.dir, "http://"+c.of(r.Site)+"/", l, c.process, s.upstream)
}

// observe is one run of wrk, with the processor time that the server takes and
// the upstream, where there is one.
func observe(ctx context.Context, dir, url string, l load, watched ...*process) (got sample, counted report, err error) {
	before := make([]time.Duration, len(watched))
	for i, p := range watched {
		if _, err := p.collect(); err != nil {
			return got, counted, err
		}
		if before[i], err = p.cpu(); err != nil {
			return got, counted, err
		}
	}
	if counted, err = drive(ctx, dir, url, l); err != nil {
		return got, counted, err
	}
	each := []*float64{&got.ServerCPU, &got.UpstreamCPU}
	for i, p := range watched {
		after, err := p.cpu()
		if err != nil {
			return got, counted, err
		}
		*each[i] = float64((after - before[i]).Microseconds()) / float64(counted.Answers)
	}
	got.WrkCPU = counted.Processor * 1e6 / float64(counted.Answers)
	got.Rate, got.P50, got.P99 = counted.rate(l.connections), counted.P50, counted.P99
	return got, counted, nil
}
