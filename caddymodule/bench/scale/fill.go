package scale

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	manyCallers = 256
	price       = wallet.Unit / 10
	topUp       = 1_000 * wallet.Unit
	rule        = "/articles/*"
)

// fill makes the wallets and gives each money. What one of them takes is measured
// when the ledger has forgotten the ids of what made them.
func (s *site) fill(ctx context.Context, r *Result) error {
	s.ids = make([][16]byte, s.Wallets)
	before := heap()
	err := s.each(manyCallers, s.Wallets, func(random io.Reader, i int) error {
		id, err := wallet.NewWalletID(random)
		if err != nil {
			return err
		}
		s.ids[i] = id
		create := wallet.CreateWallet{Wallet: id}
		fund := wallet.Transfer{From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: topUp}
		if _, err := io.ReadFull(random, create.Recovery[:]); err != nil {
			return err
		}
		if create.ID, err = wallet.NewOpID(s.now.Now(), random); err != nil {
			return err
		}
		if fund.ID, err = wallet.NewOpID(s.now.Now(), random); err != nil {
			return err
		}
		if err := applied(s.ledger.CreateWallet(ctx, create)); err != nil {
			return err
		}
		return applied(s.ledger.Transfer(ctx, fund))
	})
	if err != nil {
		return err
	}
	s.now.set(s.now.Now().Add(2 * wallet.MoneyMemory))
	s.begin = s.now.Now()
	r.Wallets, r.WalletBytes = s.Wallets, int(s.settledHeap()-before)/s.Wallets
	return nil
}

// sell charges for the page views, spread evenly over the span.
func (s *site) sell(ctx context.Context, r *Result) error {
	before, err := s.journalBytes()
	if err != nil {
		return err
	}
	step := s.Span / time.Duration(s.Entries)
	minute := max(1, int(time.Minute/max(1, step)))
	err = s.each(manyCallers, s.Entries, func(random io.Reader, i int) error {
		if i%minute == 0 {
			s.now.set(s.begin.Add(time.Duration(i) * step))
		}
		return s.charge(ctx, random, i)
	})
	if err != nil {
		return err
	}
	s.sold = s.Entries
	after, err := s.journalBytes()
	r.Entries, r.EntryBytes = s.Entries, int(after-before)/s.Entries
	r.HeapBytes = int(s.settledHeap())
	s.now.run()
	return err
}

// charge pays for the page view with a number. Views of one wallet are of
// different pages.
func (s *site) charge(ctx context.Context, random io.Reader, view int) error {
	c := wallet.Charge{
		Wallet: s.ids[view%s.Wallets], Generation: 1, Rule: rule, Resource: page(view / s.Wallets * 7919),
		Price: price, Window: s.Window,
	}
	for {
		var err error
		if c.ID, err = wallet.NewOpID(s.now.Now(), random); err != nil {
			return err
		}
		r, err := s.ledger.Charge(ctx, c)
		if err != nil || r.Outcome != wallet.Stale { // the clock has jumped in between
			return applied(r, err)
		}
	}
}

// page is a resource of usual length.
func page(number int) string {
	return fmt.Sprintf("news.example.com/articles/2026/story-%08d", number)
}

func applied(r wallet.Receipt, err error) error {
	if err == nil && r.Outcome != wallet.Applied {
		err = fmt.Errorf("the ledger answers %v", r.Outcome)
	}
	return err
}

// each calls do n times from a number of callers, each with randomness of its
// own, until one fails.
func (s *site) each(callers, n int, do func(random io.Reader, i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, callers)
	for caller := range callers {
		all.Go(func() {
			random := randomness(caller)
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(random, i); err != nil {
					errs <- err
					next.Store(int64(n))
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	return <-errs
}

var streams atomic.Uint64

// randomness is cheap, and another one each time.
func randomness(caller int) io.Reader {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], streams.Add(1))
	binary.LittleEndian.PutUint64(seed[8:], uint64(caller))
	return rand.NewChaCha8(seed)
}

// journalBytes is what the journal takes on the disk.
func (s *site) journalBytes() (bytes int64, err error) {
	files, err := os.ReadDir(s.dir)
	for _, f := range files {
		if strings.HasPrefix(f.Name(), journalPrefix) {
			info, err := os.Stat(filepath.Join(s.dir, f.Name()))
			if err != nil {
				return 0, err
			}
			bytes += info.Size()
		}
	}
	return bytes, err
}

// heap is the memory in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// settledHeap is the heap when the ledger's sweeper has been through all of it.
func (s *site) settledHeap() int64 {
	time.Sleep(s.Settle)
	return heap()
}
