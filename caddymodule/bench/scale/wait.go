package scale

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/local"
)

// The charges of a busy web server: some fifteen thousand a second, from as many
// connections as a load generator usually has.
const (
	visitors     = 64
	visitorPause = 3 * time.Millisecond
)

// wait measures how long charges wait while nothing else happens.
func (s *site) wait(ctx context.Context, r *Result) (err error) {
	until := time.Now().Add(s.Burst)
	r.Quiet, err = s.load(ctx, visitors, visitorPause, func() bool { return time.Now().Before(until) })
	return err
}

// waitForVerify measures how long charges wait while the books are verified.
func (s *site) waitForVerify(ctx context.Context, r *Result) error {
	var done atomic.Bool
	verified := make(chan error, 1)
	go func() {
		from := time.Now()
		audit, err := s.ledger.Verify(ctx)
		r.VerifyTook = time.Since(from)
		if err == nil && !audit.OK() {
			err = errors.New("the books do not add up")
		}
		done.Store(true)
		verified <- err
	}()
	latency, err := s.load(ctx, visitors, visitorPause, func() bool { return !done.Load() })
	r.Verify = latency
	return errors.Join(err, <-verified)
}

// waitForSnapshot measures how long charges wait while a snapshot is made. One is
// made at the end of a segment when the journal behind the last one weighs half of
// it: up to there the charges come as fast as they can.
func (s *site) waitForSnapshot(ctx context.Context, r *Result) error {
	if err := s.close(); err != nil {
		return err
	}
	const segment = 4 << 20
	ledger, err := local.Open(local.Options{Dir: s.dir, Clock: s.now.Now, SegmentSize: segment})
	if err != nil {
		return err
	}
	s.ledger = ledger
	w, err := s.watch(segment)
	if err != nil {
		return err
	}
	if _, err := s.load(ctx, manyCallers, 0, func() bool { return !w.near.Load() }); err != nil {
		return errors.Join(err, w.end())
	}
	if _, err := s.load(ctx, visitors, visitorPause, func() bool { return !w.begun.Load() }); err != nil {
		return errors.Join(err, w.end())
	}
	from := time.Now()
	r.Snapshot, err = s.load(ctx, visitors, visitorPause, func() bool { return !w.over.Load() })
	r.SnapshotTook = time.Since(from)
	return errors.Join(err, w.end())
}

// watcher sees from the directory how far a snapshot is.
type watcher struct {
	near, begun, over atomic.Bool
	stop              chan struct{}
	ended             chan error
}

// watch begins to watch for the next snapshot.
func (s *site) watch(segment int64) (*watcher, error) {
	last, err := os.Stat(filepath.Join(s.dir, snapshotFile))
	if err != nil {
		return nil, err
	}
	from, err := s.journalBytes()
	if err != nil {
		return nil, err
	}
	due := from + last.Size()/2
	w := &watcher{stop: make(chan struct{}), ended: make(chan error, 1)}
	look := func() error {
		names, err := s.names()
		if err != nil {
			return err
		}
		base, newest := int64(0), ""
		for _, name := range names {
			if digits, found := strings.CutPrefix(name, journalPrefix); found {
				base, _ = strconv.ParseInt(digits, 16, 64)
				newest = name
			}
		}
		w.near.Store(w.near.Load() || base+segment >= due)
		w.begun.Store(w.begun.Load() || newest != "" && base >= due)
		now, err := os.Stat(filepath.Join(s.dir, snapshotFile))
		if err == nil && !os.SameFile(now, last) {
			w.near.Store(true)
			w.begun.Store(true)
			w.over.Store(true)
		}
		return err
	}
	go w.run(look)
	return w, nil
}

// lookEvery is how finely the watcher sees.
const lookEvery = 2 * time.Millisecond

func (w *watcher) run(look func() error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			w.ended <- nil
			return
		case <-ticker.C:
		}
		if err := look(); err != nil {
			w.near.Store(true) // nobody waits for what will not be seen
			w.begun.Store(true)
			w.over.Store(true)
			w.ended <- err
			return
		}
	}
}

func (w *watcher) end() error {
	close(w.stop)
	return <-w.ended
}
