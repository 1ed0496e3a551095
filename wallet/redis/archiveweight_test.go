package redis

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A page view for the scales: the resource has 49 bytes.
func weighed(t testing.TB, id wallet.WalletID, ahead bool) wallet.Charge {
	t.Helper()
	c := wallet.Charge{
		ID: ledgertest.NewID(t, time.Now), Wallet: id, Generation: 1, Price: pagePrice, Window: 24 * time.Hour,
		Rule: "articles", Ahead: ahead,
	}
	c.Resource = fmt.Sprintf("/2026/03/01/what-a-year-of-archive-weighs-%07x", c.ID[13:16])
	return c
}

// What an archive of a year weighs is this number of bytes times the page views, of
// which a flight has the more, the busier the site is. The limits notice a record that
// grows.
func TestWhatAPageViewWeighsInTheArchive(t *testing.T) {
	for _, test := range []struct{ flight, most int }{{1, 200}, {16, 130}, {256, 126}} {
		path := t.TempDir()
		archive := smallArchive(t, path)
		archive.size = segmentSize
		l := openOn(t, Options{
			Addresses: []string{redistest.Start(t).Addr()}, Archive: archive, pace: &pace{every: time.Millisecond, keep: time.Hour},
		}, nil)
		var ids []wallet.WalletID
		for range 64 {
			ids = append(ids, ledgertest.NewWallet(t, l, time.Now, 1000*pagePrice))
		}
		allArchived(t, l, 0)
		before := archiveSize(t, path)
		const views = 2048
		for n := range views / test.flight { // wallets in turn
			flyCharges(t, l, slices.Concat(ids[n%len(ids):], ids[:n%len(ids)]), test.flight)
		}
		allArchived(t, l, 0)
		each := float64(archiveSize(t, path)-before) / views
		whole := readFile(t, segmentsIn(t, path, 0)[0])
		t.Logf("flights of %3d charges: %.1f bytes for a page view, %.1f with gzip", test.flight, each, each*zipped(t, whole[before:]))
		if each > float64(test.most) {
			t.Errorf("flights of %d charges: %.1f bytes for a page view, more than %d", test.flight, each, test.most)
		}
		ledgertest.AssertConserved(t, l)
	}
}

// A view that was paid for ahead of its delivery has a second record.
func TestWhatADeliveredViewWeighsInTheArchive(t *testing.T) {
	path := t.TempDir()
	archive := smallArchive(t, path)
	archive.size = segmentSize
	l := openOn(t, Options{
		Addresses: []string{redistest.Start(t).Addr()}, Archive: archive, pace: &pace{every: time.Millisecond, keep: time.Hour},
	}, nil)
	id := ledgertest.NewWallet(t, l, time.Now, 1000*pagePrice)
	allArchived(t, l, 0)
	before := archiveSize(t, path)
	const views = 200
	for range views {
		c := weighed(t, id, true)
		if r, err := l.Charge(context.Background(), c); err != nil || r.Outcome != wallet.Applied {
			t.Fatal(r, err)
		}
		if r, err := l.Settle(context.Background(), wallet.Settlement{
			ID: ledgertest.NewID(t, time.Now), Wallet: id, Charge: c.ID, Resource: c.Resource, Delivered: true,
		}); err != nil || r.Outcome != wallet.Applied {
			t.Fatal(r, err)
		}
	}
	allArchived(t, l, 0)
	t.Logf("flights of one, charged ahead and delivered: %.1f bytes for a page view", float64(archiveSize(t, path)-before)/views)
	ledgertest.AssertConserved(t, l)
}

// flyCharges carries out one flight of so many charges.
func flyCharges(t testing.TB, l *Ledger, ids []wallet.WalletID, n int) {
	t.Helper()
	f := newFlight()
	for i := range n {
		c := weighed(t, ids[i%len(ids)], false)
		q := &question{
			ask: askCharge, asked: askedOfCharge(&c), id: c.ID, wallet: c.Wallet, generation: c.Generation, amount: c.Price,
			span: c.Window.Milliseconds(), rule: ruleKeyOf(c.Rule), resource: resourceKeyOf(c.Resource),
		}
		q.encode()
		f.add(q)
	}
	if err := l.root().carryOut(f); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if a := f.reply.answer(i); a.outcome != wallet.Applied {
			t.Fatalf("a charge answered %v", a.outcome)
		}
	}
}

func archiveSize(t testing.TB, path string) (sum int64) {
	t.Helper()
	for _, file := range segmentsIn(t, path, 0) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}

// zipped is how much of some bytes gzip leaves.
func zipped(t testing.TB, b []byte) float64 {
	t.Helper()
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	if _, err := w.Write(b); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return float64(small.Len()) / float64(len(b))
}
