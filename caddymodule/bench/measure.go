package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// series is the samples of a row, or of the bare Caddy of its group.
type series struct {
	row
	Bare    bool
	Samples []sample
	Ratios  []float64 // of the rate to bare Caddy's, one for each round; of a row only
	Spared  []float64 // of bare Caddy's processor time to the row's, the same way
}

// subject is what is measured, with a price and without.
type subject interface {
	runBare(ctx context.Context, r row, window time.Duration) (sample, error)
	runPriced(ctx context.Context, r row, window time.Duration) (sample, error)
}

// measurement is a round-robin over the groups.
type measurement struct {
	subject
	groups   []group
	progress io.Writer
}

// warmShare is the part of a window that a warm-up run takes.
const warmShare = 3

// measure runs what there is and sums it up.
func (m *measurement) measure(ctx context.Context, o options) ([]line, error) {
	if err := m.warm(ctx, o.window/warmShare); err != nil {
		return nil, err
	}
	all, err := m.rounds(ctx, o.rounds, o.window)
	if err != nil {
		return nil, err
	}
	return summary(all), nil
}

// warm runs every row once. What that measures is not looked at.
func (m *measurement) warm(ctx context.Context, window time.Duration) error {
	for _, g := range m.groups {
		for _, r := range g {
			if _, err := m.runBare(ctx, r, window); err != nil {
				return err
			}
			if _, err := m.runPriced(ctx, r, window); err != nil {
				return err
			}
		}
	}
	return nil
}

// rounds runs every row in every round, with the bare Caddy before and after
// each.
func (m *measurement) rounds(ctx context.Context, count int, window time.Duration) ([]*series, error) {
	var all []*series
	ofGroup := make([][]*series, len(m.groups)) // the bare one first
	for i, g := range m.groups {
		ofGroup[i] = append(ofGroup[i], &series{row: g[0], Bare: true})
		for _, r := range g {
			ofGroup[i] = append(ofGroup[i], &series{row: r})
		}
		all = append(all, ofGroup[i]...)
	}
	for n := range count {
		for i := range m.groups {
			began := time.Now()
			if err := m.round(ctx, ofGroup[i], window); err != nil {
				return nil, err
			}
			fmt.Fprintf(m.progress, "round %d of %d, group %d of %d: %v\n", n+1, count, i+1, len(m.groups), time.Since(began).Round(time.Second))
		}
	}
	return all, nil
}

// round runs one group once: bare, row, bare, row, bare.
func (m *measurement) round(ctx context.Context, of []*series, window time.Duration) error {
	bare, rows := of[0], of[1:]
	before, err := m.runBare(ctx, rows[0].row, window)
	if err != nil {
		return err
	}
	bare.Samples = append(bare.Samples, before)
	for i, r := range rows {
		got, err := m.runPriced(ctx, r.row, window)
		if err != nil {
			return err
		}
		after, err := m.runBare(ctx, rows[min(i+1, len(rows)-1)].row, window)
		if err != nil {
			return err
		}
		r.Samples = append(r.Samples, got)
		r.Ratios = append(r.Ratios, got.Rate/((before.Rate+after.Rate)/2))
		r.Spared = append(r.Spared, (before.cpu()+after.cpu())/2/got.cpu())
		bare.Samples = append(bare.Samples, after)
		before = after
	}
	return nil
}
