//go:build unix

package redis

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// BenchmarkCharge measures durable charges by so many callers at once, each of a new
// page of one of many wallets, and the processor time of both sides for one.
func BenchmarkCharge(b *testing.B) {
	for _, sync := range []string{"always", "everysec"} {
		for _, callers := range []int{1, 16, 64, 256} {
			b.Run(fmt.Sprintf("appendfsync=%s/callers=%d", sync, callers), func(b *testing.B) {
				s := redistest.Start(b, "appendfsync "+sync)
				o := Options{Addresses: []string{s.Addr()}}
				if sync == "everysec" {
					o.Durability = Fast
				}
				benchmarkCharge(b, openOn(b, o, nil), callers, s.Pid())
			})
		}
	}
}

const benchWallets = 100_000

// makeEach makes so many of something, by a hundred callers at once.
func makeEach[T any](n int, one func() T) []T {
	all := make([]T, n)
	var making sync.WaitGroup
	for part := range slices.Chunk(all, max(n/100, 1)) {
		making.Go(func() {
			for i := range part {
				part[i] = one()
			}
		})
	}
	making.Wait()
	return all
}

func benchmarkCharge(b *testing.B, l *Ledger, callers int, servers ...int) {
	wallets := makeEach(benchWallets, func() wallet.WalletID {
		return ledgertest.NewWallet(b, l, time.Now, 1000*wallet.Unit)
	})
	var next atomic.Int64
	took := make([]time.Duration, b.N)
	mine, theirs := processorTime(b, os.Getpid()), processorTime(b, servers...)
	var charging sync.WaitGroup
	b.ResetTimer()
	for range callers {
		charging.Go(func() {
			for n := next.Add(1) - 1; n < int64(b.N); n = next.Add(1) - 1 {
				id, err := wallet.NewOpID(time.Now(), rand.Reader)
				if err != nil {
					b.Error(err)
					return
				}
				c := wallet.Charge{
					ID: id, Wallet: wallets[n*7919%benchWallets], Generation: 1, Rule: "page",
					Resource: "example.com/p/" + strconv.FormatInt(n, 10), Price: 1000, Window: 24 * time.Hour,
				}
				begin := time.Now()
				r, err := l.Charge(b.Context(), c)
				took[n] = time.Since(begin)
				if err != nil || r.Outcome != wallet.Applied {
					b.Errorf("a charge answered %v, %v", r.Outcome, err)
					return
				}
			}
		})
	}
	charging.Wait()
	b.StopTimer()
	slices.Sort(took)
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "charges/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(per(processorTime(b, os.Getpid())-mine), "client-cpu-µs")
	b.ReportMetric(per(processorTime(b, servers...)-theirs), "redis-cpu-µs")
}

// processorTime is what processes have used, of both modes.
func processorTime(b *testing.B, pids ...int) (sum time.Duration) {
	b.Helper()
	for _, pid := range pids {
		if pid == os.Getpid() {
			var usage syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			b.Fatal(err)
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range fields[11:13] {
			ticks, err := strconv.Atoi(field)
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return sum
}
