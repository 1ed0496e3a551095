package redis

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// Two archives would each miss what the other has trimmed.
func TestASecondArchiveIsRefused(t *testing.T) {
	log := new(logged)
	server := redistest.Start(t)
	o := Options{Addresses: []string{server.Addr()}, pace: eager, Log: log.logger()}
	one, two := o, o
	one.Archive, two.Archive = smallArchive(t, t.TempDir()), smallArchive(t, t.TempDir())
	l := openOn(t, one, nil)
	id := ledgertest.NewWallet(t, l, time.Now, 100*pagePrice)
	allArchived(t, l, 0)
	if _, err := Open(two); err == nil || !strings.Contains(err.Error(), "archived in another archive") {
		t.Fatalf("a start with a second archive answers %v", err)
	}
	two.MustBe = l.ID() // one that was open before
	second := openOn(t, two, nil)
	soon(t, "the log hears of it", func() bool { return log.has("archived in another archive") })
	views(t, second, id, time.Now, 10)
	allArchived(t, l, 0)
	rounds()
	if n := archivedTo(t, second, 0); n != 0 {
		t.Errorf("%d entries are in the second archive", n)
	}
	if n := strings.Count(log.String(), "archived in another archive"); n != 1 {
		t.Errorf("the log has heard of it %d times:\n%s", n, log)
	}
	ledgertest.AssertConserved(t, l)
	// Where the first is gone for good, an operator says so; what it had is missing.
	l.Close()
	if _, err := server.Do("HDEL", l.root().fixed[keyMeta], fieldArchive); err != nil {
		t.Fatal(err)
	}
	soon(t, "the log hears what is missing", func() bool { return log.has("entries between are missing") })
	if n := archivedTo(t, second, 0); n != 0 {
		t.Errorf("%d entries are in an archive that misses the first", n)
	}
}

// What something else has trimmed is missing for good, and the rest must not follow.
func TestAGapIsSaidAndNothingTrimmed(t *testing.T) {
	log := new(logged)
	server := redistest.Start(t)
	o := Options{Addresses: []string{server.Addr()}}
	l := openOn(t, o, nil)
	id := ledgertest.NewWallet(t, l, time.Now, 100*pagePrice)
	views(t, l, id, time.Now, 20)
	if _, err := server.Do("XTRIM", l.root().fixed[keyJournal], "MINID", "5"); err != nil {
		t.Fatal(err)
	}
	before := len(inMemory(t, l, 0))
	o.Archive, o.pace, o.Log = smallArchive(t, t.TempDir()), eager, log.logger()
	archiving := openOn(t, o, nil)
	soon(t, "the log hears of it", func() bool { return log.has("memory begins at 5") })
	views(t, archiving, id, time.Now, 3)
	rounds()
	if n := len(inMemory(t, l, 0)); n != before+3 || archivedTo(t, archiving, 0) != 0 {
		t.Errorf("%d entries were in memory, and 3 more make %d", before, n)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("the log has heard of it %d times:\n%s", n, log)
	}
}

func TestAnotherLedgersDirectoryIsNotWrittenTo(t *testing.T) {
	log, path := new(logged), filepath.Join(t.TempDir(), "archive")
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, pace: eager, Log: log.logger(), Name: "one"}
	archive := smallArchive(t, path)
	o.Archive = archive
	l := openOn(t, o, nil)
	ledgertest.NewWallet(t, l, time.Now, pagePrice)
	allArchived(t, l, 0)
	l.Close()
	last, _ := archive.Last(context.Background(), 0)
	o.Name = "two"
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "has another ledger's archive: give each") {
		t.Fatalf("a start with another ledger's archive answers %v", err)
	}
	o.Archive = nil
	l = openOn(t, o, nil)
	o.Archive, o.MustBe = archive, l.ID() // one that was open before
	l.Close()
	l = openOn(t, o, nil)
	id := ledgertest.NewWallet(t, l, time.Now, 100*pagePrice)
	views(t, l, id, time.Now, 5)
	soon(t, "the log hears of it", func() bool { return log.has("another ledger's archive") })
	rounds()
	if now, _ := archive.Last(context.Background(), 0); now != last {
		t.Errorf("the archive ended at %v and ends at %v", last, now)
	}
	if first := inMemory(t, l, 0)[0].sequence; first != 1 {
		t.Errorf("memory begins at entry %d", first)
	}
	ledgertest.AssertConserved(t, l)
	if strings.Contains(log.String(), l.id) {
		t.Error("the log has the ledger's id, which is a key")
	}
}

// A process whose ledger is gone from the servers must not take another one's entries for
// its own.
func TestALedgerThatTookTheNameIsNotArchived(t *testing.T) {
	log, server := new(logged), redistest.Start(t)
	o := Options{Addresses: []string{server.Addr()}, Log: log.logger()}
	archiving := o
	archiving.Archive, archiving.pace = smallArchive(t, t.TempDir()), eager
	old := openOn(t, archiving, nil)
	rounds()
	if _, err := server.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	soon(t, "the log hears of it", func() bool { return log.has("do not have this ledger any more") })
	l := openOn(t, o, nil)
	views(t, l, ledgertest.NewWallet(t, l, time.Now, 100*pagePrice), time.Now, 10)
	rounds()
	last, err := archiving.Archive.Last(context.Background(), 0)
	if err != nil || last.Sequence != 0 {
		t.Errorf("another ledger's entries are archived up to %d, %v", last.Sequence, err)
	}
	ledgertest.AssertConserved(t, l)
	old.Close()
}
