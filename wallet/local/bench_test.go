package local

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// BenchmarkCharge measures charges that are durable before they are answered,
// each of a resource that the wallet has not paid for.
func BenchmarkCharge(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchmarkCharge(b, callers) })
	}
}

func benchmarkCharge(b *testing.B, callers int) {
	l, err := Open(Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	const wallets = 10_000
	ids := make([]wallet.WalletID, wallets)
	for i := range ids {
		binary.BigEndian.PutUint64(ids[i][:], uint64(i+1))
	}
	each(callers, wallets, func(_, i int) {
		done(b)(l.CreateWallet(context.Background(), wallet.CreateWallet{ID: newID(), Wallet: ids[i]}))
		done(b)(l.Transfer(context.Background(), wallet.Transfer{
			ID: newID(), From: wallet.FundingOperator, To: wallet.WalletAccount(ids[i]), Amount: 100_000 * wallet.Unit,
		}))
	})
	resources := make([]string, 4096)
	for i := range resources {
		resources[i] = fmt.Sprintf("articles:/articles/2026/story-%04d", i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	each(callers, b.N, func(_, i int) {
		r, err := l.Charge(context.Background(), wallet.Charge{
			ID: newID(), Wallet: ids[i%wallets], Generation: 1, Rule: "articles",
			Resource: resources[i/wallets%len(resources)], Price: wallet.Unit / 10, Window: 24 * time.Hour,
		})
		if err != nil || r.Outcome != wallet.Applied {
			b.Errorf("%v, %v", r.Outcome, err)
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "charges/s")
}

// each calls do n times from a number of goroutines.
func each(callers, n int, do func(caller, i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(c, i)
			}
		})
	}
	all.Wait()
}

func done(t testing.TB) func(wallet.Receipt, error) wallet.Receipt {
	return func(r wallet.Receipt, err error) wallet.Receipt {
		t.Helper()
		if err != nil || r.Outcome != wallet.Applied {
			t.Errorf("%v, %v", r.Outcome, err)
		}
		return r
	}
}

var idCounter atomic.Uint64

// newID makes an operation id of now, cheaply.
func newID() wallet.OpID {
	var id wallet.OpID
	ms := time.Now().UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	binary.BigEndian.PutUint64(id[8:], idCounter.Add(1)*0x9e3779b97f4a7c15)
	id[6] = 0x70
	return id
}

// BenchmarkReplay measures what a start without a snapshot does with each record
// of the journal, and what Verify does.
func BenchmarkReplay(b *testing.B) {
	l, err := Open(Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	const wallets, charges = 100, 200_000
	ids := make([]wallet.WalletID, wallets)
	for i := range ids {
		binary.BigEndian.PutUint64(ids[i][:], uint64(i+1))
		done(b)(l.CreateWallet(context.Background(), wallet.CreateWallet{ID: newID(), Wallet: ids[i]}))
		done(b)(l.Transfer(context.Background(), wallet.Transfer{
			ID: newID(), From: wallet.FundingOperator, To: wallet.WalletAccount(ids[i]), Amount: 100_000 * wallet.Unit,
		}))
	}
	each(256, charges, func(_, i int) {
		done(b)(l.Charge(context.Background(), wallet.Charge{
			ID: newID(), Wallet: ids[i%wallets], Generation: 1, Rule: "articles",
			Resource: fmt.Sprintf("articles:/articles/2026/story-%04d", i/wallets), Price: wallet.Unit / 10, Window: 24 * time.Hour,
		}))
	})
	b.ReportAllocs()
	for b.Loop() {
		if audit, err := l.Verify(context.Background()); err != nil || !audit.OK() {
			b.Fatalf("%+v, %v", audit, err)
		}
	}
	b.ReportMetric(float64(charges)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
