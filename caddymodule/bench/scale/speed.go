package scale

import (
	"context"
	"slices"
	"sync"
	"time"
)

// race measures the speeds.
func (s *site) race(ctx context.Context, r *Result) error {
	for _, callers := range []int{1, 64, manyCallers} {
		until := time.Now().Add(s.Burst)
		latency, err := s.load(ctx, callers, 0, func() bool { return time.Now().Before(until) })
		if err != nil {
			return err
		}
		r.Speeds = append(r.Speeds, Speed{
			Callers: callers, PerSecond: int(float64(latency.Charges) / s.Burst.Seconds()), Latency: latency,
		})
	}
	return nil
}

// load charges from so many callers, each with a pause between two charges, as
// long as more says so, and tells how long the charges took.
func (s *site) load(ctx context.Context, callers int, pause time.Duration, more func() bool) (Latency, error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	sold := s.sold
	for caller := range callers {
		all.Go(func() {
			mine, err := s.visitor(ctx, caller, callers, pause, more)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			sold = max(sold, s.sold+(len(mine)+1)*callers)
			if err != nil {
				failed = err
			}
		})
	}
	all.Wait()
	s.sold = sold
	return latencyOf(took), failed
}

// visitor is one caller of load.
func (s *site) visitor(ctx context.Context, caller, callers int, pause time.Duration, more func() bool) (took []time.Duration, err error) {
	random := randomness(caller)
	view := s.sold + caller
	for more() {
		start := time.Now()
		if err := s.charge(ctx, random, view); err != nil {
			return took, err
		}
		took = append(took, time.Since(start))
		view += callers
		if pause > 0 {
			time.Sleep(pause)
		}
	}
	return took, nil
}

func latencyOf(took []time.Duration) Latency {
	if len(took) == 0 {
		return Latency{}
	}
	slices.Sort(took)
	return Latency{
		Charges: len(took), P50: took[len(took)/2], P99: took[len(took)*99/100], Max: took[len(took)-1],
	}
}
