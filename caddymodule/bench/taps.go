package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// tapsEach is how many taps a run has.
const tapsEach = 200

// tapPrice is what each pays.
const tapPrice = wallet.Unit / 100

// tapResult is what taps cost.
type tapResult struct {
	Rows     []tapRow `json:"rows"`
	Program  int64    `json:"program_bytes"`  // of the kiosk's program for ARMv6
	Resident int64    `json:"resident_bytes"` // that it had in memory at most, on this machine
}

// tapRow is how long taps take whose cards prove the same, in microseconds.
type tapRow struct {
	Name string `json:"name"`
	Taps int    `json:"taps"`
	P50  int64  `json:"p50_us"`
	P95  int64  `json:"p95_us"`
	P99  int64  `json:"p99_us"`

	// Processor time for a tap with its settlement.
	KioskCPU int64 `json:"kiosk_cpu_us"` // of this process, with the card
	CaddyCPU int64 `json:"caddy_cpu_us"`
}

// tapped is a kind of card, and what its taps have taken.
type tapped struct {
	name    string
	present func() (tap.Presented, error) // lays the card down: what it shows is read anew
	took    []time.Duration
	cpu     [2]time.Duration // in all: of this process, of Caddy
}

// benchTaps measures taps at a kiosk in this process, from a card that is there to the
// opening: what the card shows, the kiosk's journal, its requests to a Caddy with the
// paywall, and that one's ledger, all of it durable. The cards are programs in this process
// too, a bank card signing as fast as this machine does. Each tap is settled before the
// next, and the runs of the kinds are interleaved.
func benchTaps(ctx context.Context, o options, built programs, dir string, progress io.Writer) (*tapResult, error) {
	s, err := openTapSite(ctx, built, filepath.Join(dir, "taps"))
	if err != nil {
		return nil, err
	}
	defer s.caddy.stop()
	kinds, err := s.cards(ctx)
	if err != nil {
		return nil, err
	}
	for round := range o.rounds {
		for _, k := range kinds {
			if err := s.tapAgain(ctx, k, o.taps); err != nil {
				return nil, fmt.Errorf("taps by %s: %w", k.name, err)
			}
		}
		fmt.Fprintf(progress, "round %d of %d of taps\n", round+1, o.rounds)
	}
	found := new(tapResult)
	for _, k := range kinds {
		found.Rows = append(found.Rows, k.row())
	}
	if err := s.account(ctx, o.rounds*o.taps*len(kinds)); err != nil {
		return nil, err
	}
	if found.Program, err = s.programSize(ctx); err == nil {
		found.Resident, err = s.resident(ctx)
	}
	return found, err
}

// tapAgain is one run.
func (s *tapSite) tapAgain(ctx context.Context, k *tapped, times int) (err error) {
	for i, pid := range []int{os.Getpid(), s.caddy.cmd.Process.Pid} {
		before, err := cpuOf(pid)
		if err != nil {
			return err
		}
		defer func() {
			after, again := cpuOf(pid)
			k.cpu[i] += after - before
			err = errors.Join(err, again)
		}()
	}
	for range times {
		begun := time.Now()
		p, err := k.present()
		if err != nil {
			return err
		}
		r := s.desk.Tap(ctx, p, s.product, true)
		k.took = append(k.took, time.Since(begun))
		if r.Kind != tap.Paid {
			return fmt.Errorf("a tap is %s, %s", r.Kind, r.Reason)
		}
		if left, err := s.desk.Settle(ctx); err != nil || left > 0 {
			return fmt.Errorf("%d taps are not settled: %w", left, err)
		}
	}
	return nil
}

func (k *tapped) row() tapRow {
	slices.Sort(k.took)
	at := func(part int) int64 { return k.took[len(k.took)*part/100].Microseconds() }
	each := func(all time.Duration) int64 { return all.Microseconds() / int64(len(k.took)) }
	return tapRow{k.name, len(k.took), at(50), at(95), at(99), each(k.cpu[0]), each(k.cpu[1])}
}

// account compares what the site has earned with what was tapped.
func (s *tapSite) account(ctx context.Context, taps int) error {
	var books struct {
		OK   bool
		Site string
	}
	if err := s.operator(ctx, &books, "verify"); err != nil {
		return err
	}
	earned, err := wallet.ParseAmount(books.Site)
	if want := tapPrice * wallet.Amount(taps); err == nil && (!books.OK || earned != want) {
		err = fmt.Errorf("%d taps were paid, and the books (OK: %t) have %s", taps, books.OK, books.Site)
	}
	return err
}

// programSize is that of the kiosk's program as it is shipped for small machines.
func (s *tapSite) programSize(ctx context.Context) (int64, error) {
	path, err := buildKiosk(ctx, s.dir, "rfidbridge.armv6", "GOOS=linux", "GOARCH=arm", "GOARM=6")
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// resident runs the kiosk's program beside the Caddy, and returns how much memory it has had
// when it has carried out some taps.
func (s *tapSite) resident(ctx context.Context) (int64, error) {
	program, err := buildKiosk(ctx, s.dir, "rfidbridge")
	if err != nil {
		return 0, err
	}
	config, state := filepath.Join(s.dir, "kiosk.json"), filepath.Join(s.dir, "kiosk")
	text := `{"product":"gate","readers":[{"driver":"exec","exec":["sh","-c","while sleep 0.05; do echo ` + plainNumber + `; done"]}],"screen":"127.0.0.1:0"}`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return 0, err
	}
	if _, err := s.enrol(ctx, "shown", filepath.Join(state, "identity.json")); err != nil {
		return 0, err
	}
	p, err := launch(s.dir, "kiosk", "", nil, program, "run", "-config", config, "-state", state)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	const watched = 2 * time.Second
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-p.exited:
		return 0, p.broken(fmt.Errorf("ended: %v", p.cmd.ProcessState))
	case <-time.After(watched):
	}
	return p.peak()
}

// writeTaps writes what taps cost as a Markdown table.
func writeTaps(w io.Writer, r *tapResult) {
	fmt.Fprintln(w, "\n| a tap, from the card to the opening | p50 ms | p95 ms | p99 ms | CPU ms: kiosk and card, Caddy | taps |\n|---|---|---|---|---|---|")
	ms := func(us int64) float64 { return float64(us) / 1000 }
	for _, one := range r.Rows {
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %.2f | %.2f, %.2f | %d |\n",
			one.Name, ms(one.P50), ms(one.P95), ms(one.P99), ms(one.KioskCPU), ms(one.CaddyCPU), one.Taps)
	}
	const mb = 1e6
	fmt.Fprintf(w, "\nThe kiosk's program has %.1f MB for ARMv6, and %.1f MB in memory here.\n", float64(r.Program)/mb, float64(r.Resident)/mb)
}

// tapProduct is what a kiosk knows of what it sells.
func tapProduct(p wire.Policy) (wire.Product, error) {
	if len(p.Products) != 1 {
		return wire.Product{}, fmt.Errorf("the paywall sells %d products to kiosks", len(p.Products))
	}
	return p.Products[0], nil
}
