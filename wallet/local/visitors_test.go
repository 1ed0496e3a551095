package local

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// BenchmarkVisitors measures charges that come as a web server's do: each caller
// needs the processor for a while before its next one. Where flights leave too
// early the syncs take the processor away from that, and where they leave too late
// it stands idle.
func BenchmarkVisitors(b *testing.B) {
	for _, work := range []time.Duration{60 * time.Microsecond, 170 * time.Microsecond} {
		for _, callers := range []int{4, 16, 64, 256} {
			b.Run(fmt.Sprintf("work=%v/callers=%d", work, callers), func(b *testing.B) { benchmarkVisitors(b, work, callers) })
		}
	}
}

func benchmarkVisitors(b *testing.B, work time.Duration, callers int) {
	disk := &countingDisk{directory: directory(b.TempDir())}
	l, err := openOn(disk, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	id := wallet.WalletID{1}
	done(b)(l.CreateWallet(context.Background(), wallet.CreateWallet{ID: newID(), Wallet: id}))
	done(b)(l.Transfer(context.Background(), wallet.Transfer{
		ID: newID(), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: wallet.MaxAmount / 2,
	}))
	b.ResetTimer()
	syncs := disk.syncs.Load()
	each(callers, b.N, func(_, i int) {
		busy(work)
		done(b)(l.Charge(context.Background(), wallet.Charge{
			ID: newID(), Wallet: id, Generation: 1, Rule: "articles", Resource: fmt.Sprintf("articles:/story-%08d", i),
			Price: 1, Window: time.Minute,
		}))
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "charges/s")
	b.ReportMetric(float64(disk.syncs.Load()-syncs)/float64(b.N), "syncs/charge")
}

// busy needs the processor for as long as work took when the machine was idle.
func busy(work time.Duration) {
	const step = 100 * time.Nanosecond // about what one round takes
	sum := uint64(1)
	for range work / step {
		for range 100 {
			sum = sum*0x9e3779b97f4a7c15 + 1
		}
	}
	busySink.Store(sum)
}

var busySink atomic.Uint64

// countingDisk counts syncs.
type countingDisk struct {
	directory
	syncs atomic.Int64
}

func (d *countingDisk) Open(name string) (file, error) {
	f, err := d.directory.Open(name)
	return &countingFile{f, d}, err
}

type countingFile struct {
	file
	disk *countingDisk
}

func (f *countingFile) Sync() error {
	f.disk.syncs.Add(1)
	return f.file.Sync()
}
