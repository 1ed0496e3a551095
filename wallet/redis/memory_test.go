package redis

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// recoverable makes a wallet that can be recovered and was funded once.
func recoverable(t testing.TB, l *Ledger, clock func() time.Time) wallet.WalletID {
	t.Helper()
	id, err := wallet.NewWalletID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	applied(t)(l.CreateWallet(context.Background(), wallet.CreateWallet{
		ID: ledgertest.NewID(t, clock), Wallet: id, Recovery: ledgertest.NewDigest(t),
	}))
	ledgertest.Fund(t, l, clock, id, 10*wallet.Unit)
	return id
}

// sweepAll lets the ledger go once through all wallets and grants.
func sweepAll(t testing.TB, l *Ledger) {
	t.Helper()
	tendings := make([]tending, len(l.shards))
	for {
		if err := l.tendOnce(t.Context(), tendings); err != nil {
			t.Fatal(err)
		}
		if tendings[0].wallets == 0 {
			return
		}
	}
}

// The ids of what happened to a wallet take its memory for a week, and not for good.
func TestAWalletForgetsWhatIsAWeekOld(t *testing.T) {
	t.Parallel()
	clock := ledgertest.NewClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
	l := openOn(t, Options{Addresses: []string{redistest.Start(t).Addr()}}, clock.Now)
	id := recoverable(t, l, clock.Now)
	fund := wallet.Transfer{ID: ledgertest.NewID(t, clock.Now), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: 1}
	applied(t)(l.Transfer(t.Context(), fund))
	root := l.root()
	c, err := l.servers.master(t.Context(), root.fixed[keyWallets])
	if err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		sweepAll(t, l)
		return c.HStrLen(t.Context(), root.fixed[keyWallets], string(id[:])).Val()
	}
	const head, each = 43, 22 // see library/20-wallet.lua
	clock.Advance(7*24*time.Hour - time.Second)
	if n := size(); n != head+3*each {
		t.Errorf("within a week it takes %d bytes, want %d", n, head+3*each)
	}
	if r, err := l.Transfer(t.Context(), fund); err != nil || r.Outcome != wallet.Replayed {
		t.Errorf("invariant 3: within a week the movement again answers %v, %v", r.Outcome, err)
	}
	clock.Advance(2 * time.Second)
	if n := size(); n != head {
		t.Errorf("after a week it takes %d bytes, want %d", n, head)
	}
	if r, err := l.Transfer(t.Context(), fund); err != nil || r.Outcome != wallet.Stale {
		t.Errorf("invariant 3: after a week the movement again answers %v, %v", r.Outcome, err)
	}
	ledgertest.AssertConserved(t, l)
}

// BenchmarkMemory measures what b.N wallets take for good, when all that they remember
// for a time has ended, and what a view of each takes until its window ends. It is
// made for -benchtime 1000000x.
func BenchmarkMemory(b *testing.B) {
	clock := ledgertest.NewClock(time.Now())
	s := redistest.Start(b)
	l := openOn(b, Options{Addresses: []string{s.Addr()}}, clock.Now)
	sizes := func() (rest, journal int64) {
		c, root := s.Client(), l.root()
		journal = c.MemoryUsage(b.Context(), root.fixed[keyJournal], 0).Val()
		text := c.InfoMap(b.Context(), "memory").Item("Memory", "used_memory")
		used, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return used - journal, journal
	}
	per := func(n int64) float64 { return float64(n) / float64(b.N) }
	empty, _ := sizes()
	wallets := makeEach(b.N, func() wallet.WalletID { return recoverable(b, l, clock.Now) })
	for _, day := range s.Client().Keys(b.Context(), l.root().ofDay(clock.Now())).Val() {
		s.Client().Del(b.Context(), day) // as the server does when the week is over
	}
	clock.Advance(9 * 24 * time.Hour)
	sweepAll(b, l)
	rest, journal := sizes()
	b.ReportMetric(per(rest-empty), "B/wallet")
	for _, address := range []string{"news.example/articles/", "news.example/articles/2026/the-mayor-on-bikes/"} {
		next := make(chan wallet.WalletID, b.N)
		for _, id := range wallets {
			next <- id
		}
		makeEach(b.N, func() struct{} {
			c := wallet.Charge{
				ID: ledgertest.NewID(b, clock.Now), Wallet: <-next, Generation: 1, Rule: "/articles/*",
				Resource: address + ledgertest.NewID(b, clock.Now).String()[:4], Price: wallet.Unit / 10, Window: 24 * time.Hour,
			}
			applied(b)(l.Charge(b.Context(), c))
			return struct{}{}
		})
		after, journalAfter := sizes()
		name := strconv.Itoa(len(address)+4) + "-letter-view"
		b.ReportMetric(per(after-rest), "B/"+name)
		b.ReportMetric(per(journalAfter-journal), "journal-B/"+name)
		rest, journal = after, journalAfter
	}
}
