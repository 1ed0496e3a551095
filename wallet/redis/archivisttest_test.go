package redis

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// What the tests of the archivist share.

const pagePrice = 100_000

// view charges a wallet for a page that it has not paid for.
func view(t testing.TB, l *Ledger, id wallet.WalletID, clock func() time.Time) wallet.Charge {
	t.Helper()
	c := wallet.Charge{
		ID: ledgertest.NewID(t, clock), Wallet: id, Generation: 1, Price: pagePrice, Window: time.Hour, Rule: "news",
	}
	c.Resource = "news:/" + c.ID.String()
	if r, err := l.Charge(context.Background(), c); err != nil || !r.Outcome.Done() {
		t.Fatalf("a charge answered %v, %v", r.Outcome, err)
	}
	return c
}

func views(t testing.TB, l *Ledger, id wallet.WalletID, clock func() time.Time, n int) (charges []wallet.Charge) {
	t.Helper()
	for range n {
		charges = append(charges, view(t, l, id, clock))
	}
	return charges
}

// soon waits until something is so.
func soon(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came that %s", what)
		}
	}
}

// rounds waits until the archivist, at the pace of tests, has been round some times.
func rounds() { time.Sleep(100 * time.Millisecond) }

// inMemory lists what the servers have of a shard's journal.
func inMemory(t testing.TB, l *Ledger, shard int) []entry {
	t.Helper()
	found, err := l.shards[shard].entries(context.Background(), 0, lastSequence, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// archivedTo is the number of a shard's newest entry in the archive.
func archivedTo(t testing.TB, l *Ledger, shard int) uint64 {
	t.Helper()
	ctx := context.Background()
	if _, err := l.options.Archive.Attach(ctx, l.archiveName()); err != nil {
		t.Fatal(err)
	}
	last, err := l.options.Archive.Last(ctx, shard)
	if err != nil {
		t.Fatal(err)
	}
	return last.Sequence
}

// allArchived waits until the archive has all of a shard's journal.
func allArchived(t testing.TB, l *Ledger, shard int) {
	t.Helper()
	soon(t, "everything is archived", func() bool {
		all := inMemory(t, l, shard)
		return len(all) > 0 && archivedTo(t, l, shard) == all[len(all)-1].sequence
	})
}

// archivedIDs are the operations in the entries of an archive, which must be all of a
// shard's.
func archivedIDs(t testing.TB, a Archive, shard int) map[wallet.OpID]bool {
	t.Helper()
	found, err := readAll(a, shard, 1, lastSequence)
	if err != nil {
		t.Fatal(err)
	}
	return idsOf(t, found)
}

func idsOf(t testing.TB, found []Entry) map[wallet.OpID]bool {
	t.Helper()
	ids := make(map[wallet.OpID]bool)
	for i, e := range found {
		if e.Sequence != uint64(i)+1 {
			t.Fatalf("entry %d of the archive is %d", i+1, e.Sequence)
		}
		all, err := records(e.Sequence, e.Text)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if all[i].kind != kindShare {
				ids[all[i].asked.id()] = true
			}
		}
	}
	return ids
}

// tale is everything that an audit and the listings say.
func tale(t testing.TB, l *Ledger, wallets ...wallet.WalletID) string {
	t.Helper()
	ctx := context.Background()
	audit, err := l.Verify(ctx)
	if err != nil || !audit.OK() {
		t.Fatalf("invariants 1, 7: %+v, %v", audit, err)
	}
	report, err := l.Report(ctx, time.Unix(0, 0), time.Now().Add(1<<52))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%+v %+v", audit, report)
	for _, id := range wallets {
		text += fmt.Sprintf(" %+v", entriesOfWallet(t, l, id))
	}
	return text
}

func entriesOfWallet(t testing.TB, l *Ledger, id wallet.WalletID) (all []wallet.Entry) {
	t.Helper()
	for cursor := ""; ; {
		page, next, err := l.Entries(context.Background(), id, cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if cursor = next; cursor == "" {
			return all
		}
	}
}

// sameEverywhere makes sure that archive and servers agree on what both have.
func sameEverywhere(t testing.TB, l *Ledger, shard int) {
	t.Helper()
	for _, e := range inMemory(t, l, shard) {
		found, err := readAll(l.options.Archive, shard, e.sequence, e.sequence)
		want := []Entry{{Sequence: e.sequence, Tag: e.tag, Text: e.text}}
		if err != nil || !slices.Equal(found, want) {
			t.Fatalf("entry %d is another one in the archive, or not there: %v", e.sequence, err)
		}
	}
}
