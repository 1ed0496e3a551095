package redis

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// copyOf copies a server's data while it is down. Everything is in it: one that syncs once
// a second may hold writes back for two, and a kill would lose them.
func copyOf(t *testing.T, s *redistest.Server) string {
	t.Helper()
	for _, command := range [][]any{{"CONFIG", "SET", "appendfsync", "always"}, {"SET", "synced", 1}} {
		if _, err := s.Do(command...); err != nil {
			t.Fatal(err)
		}
	}
	s.Kill()
	to := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(to, os.DirFS(s.Dir())); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	return to
}

// goBack lets a server have lost all since a copy was made, as one that takes over and
// had not received it.
func goBack(t *testing.T, s *redistest.Server, to string) {
	t.Helper()
	s.Kill()
	const file = "appendonlydir"
	if err := os.RemoveAll(filepath.Join(s.Dir(), file)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(s.Dir(), file), os.DirFS(filepath.Join(to, file))); err != nil {
		t.Fatal(err)
	}
	s.Restart()
}

// A server loses entries that had been archived, and nobody remembers them. The archive
// waits until there are new ones; then it is rewound, and has what the servers have.
func TestAnArchiveIsRewoundToWhatTheServersHave(t *testing.T) {
	for name, keep := range map[string]time.Duration{"trimmed": 0, "not trimmed": time.Hour} {
		t.Run(name, func(t *testing.T) {
			log, server := new(logged), redistest.Start(t)
			o := Options{
				Addresses: []string{server.Addr()}, Log: log.logger(), Archive: smallArchive(t, t.TempDir()),
				pace: &pace{every: time.Millisecond, keep: keep},
			}
			l := openOn(t, o, nil)
			id := ledgertest.NewWallet(t, l, time.Now, 1000*pagePrice)
			views(t, l, id, time.Now, 50)
			allArchived(t, l, 0)
			kept := archivedTo(t, l, 0)
			data := copyOf(t, server)
			views(t, l, id, time.Now, 70)
			allArchived(t, l, 0)
			lost := archivedTo(t, l, 0)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			goBack(t, server, data)

			l = openOn(t, o, nil)
			memory := len(inMemory(t, l, 0))
			rounds()
			if n := archivedTo(t, l, 0); n != lost || log.has("failover") {
				t.Fatalf("the archive ended at %d, and before there was anything new it ends at %d:\n%s", lost, n, log)
			}
			if n := len(inMemory(t, l, 0)); n != memory {
				t.Fatalf("%d of %d entries are in memory while nobody knows what is archived", n, memory)
			}
			views(t, l, id, time.Now, 1)
			allArchived(t, l, 0)
			if n := archivedTo(t, l, 0); n != kept+1 {
				t.Fatalf("the archive ends at %d, must at %d", n, kept+1)
			}
			if !log.has("a failover has lost entries") {
				t.Errorf("the log has heard nothing:\n%s", log)
			}
			views(t, l, id, time.Now, 100)
			allArchived(t, l, 0)
			sameEverywhere(t, l, 0)
			if n, want := len(archivedIDs(t, o.Archive, 0)), 2+50+1+100; n != want {
				t.Errorf("the archive has %d operations, must have %d", n, want)
			}
			tale(t, l, id)
			ledgertest.AssertConserved(t, l) // invariants 1 and 7
		})
	}
}

// While the servers have other entries than the archive, nobody knows what is archived of
// those that they have: they stay, however old (invariant 5).
func TestNothingIsTrimmedBeforeTheArchiveIsRewound(t *testing.T) {
	log, server, clock := new(logged), redistest.Start(t), ledgertest.NewClock(someTime)
	o := Options{
		Addresses: []string{server.Addr()}, Log: log.logger(), Archive: smallArchive(t, t.TempDir()),
		pace: &pace{every: time.Millisecond, after: archiveAfter}, // it keeps nothing that is archived
	}
	l := openOn(t, o, clock.Now)
	id := ledgertest.NewWallet(t, l, clock.Now, 1000*pagePrice)
	views(t, l, id, clock.Now, 20)
	clock.Advance(archiveAfter)
	allArchived(t, l, 0)
	data := copyOf(t, server)
	views(t, l, id, clock.Now, 50)
	clock.Advance(archiveAfter)
	allArchived(t, l, 0)
	l.Close()
	goBack(t, server, data)
	l = openOn(t, o, clock.Now)
	again := views(t, l, id, clock.Now, 60) // more than were lost
	before := len(inMemory(t, l, 0))
	rounds()
	if n := len(inMemory(t, l, 0)); n != before {
		t.Fatalf("%d of %d entries are left in memory", n, before)
	}
	clock.Advance(archiveAfter)
	allArchived(t, l, 0)
	ids := archivedIDs(t, o.Archive, 0)
	for _, c := range again {
		if !ids[c.ID] {
			t.Error("a charge after the failover is not in the archive")
		}
	}
	ledgertest.AssertConserved(t, l)
}

// Where a process remembers what was acknowledged to it, it carries that out
// again, with other numbers and tags, and in the end the archive has all of it
// (invariant 5).
func TestAnArchiveHasWhatIsCarriedOutAgain(t *testing.T) {
	log, server := new(logged), redistest.Start(t, "appendfsync everysec")
	o := Options{
		Addresses: []string{server.Addr()}, Log: log.logger(), Archive: smallArchive(t, t.TempDir()), pace: eager, Durability: Fast,
	}
	l := openOn(t, o, nil)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log:\n%s", log)
		}
	})
	id := ledgertest.NewWallet(t, l, time.Now, 1000*pagePrice)
	acknowledged := views(t, l, id, time.Now, 50)
	allArchived(t, l, 0)
	data := copyOf(t, server)
	acknowledged = append(acknowledged, views(t, l, id, time.Now, 70)...)
	allArchived(t, l, 0)
	goBack(t, server, data)
	acknowledged = append(acknowledged, views(t, l, id, time.Now, 20)...)
	allArchived(t, l, 0)
	soon(t, "archive and servers agree", func() bool { return len(inMemory(t, l, 0)) == 1 })
	sameEverywhere(t, l, 0)
	ids := archivedIDs(t, o.Archive, 0)
	for i, c := range acknowledged {
		if !ids[c.ID] {
			t.Errorf("charge %d is not in the archive", i)
		}
	}
	if !log.has("void_behind") || !log.has("carrying it out again") {
		t.Errorf("nothing was lost: this proves nothing:\n%s", log)
	}
	ledgertest.AssertConserved(t, l)
}

// Another history from the first entry on is no failover: somebody has loaded the wrong
// data, and the archive is not rewound to nothing.
func TestAnArchiveIsNotRewoundToNothing(t *testing.T) {
	log, server := new(logged), redistest.Start(t)
	o := Options{Addresses: []string{server.Addr()}, Log: log.logger()}
	l := openOn(t, o, nil)
	id := ledgertest.NewWallet(t, l, time.Now, 1000*pagePrice)
	views(t, l, id, time.Now, 9)
	archive := smallArchive(t, t.TempDir())
	if _, err := archive.Attach(context.Background(), l.archiveName()); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, archive, 0, someEntries("another history", 1, 20))
	o.Archive, o.pace = archive, eager
	archiving := openOn(t, o, nil)
	soon(t, "the log hears of it", func() bool { return log.has("one of them is an older copy") })
	views(t, archiving, id, time.Now, 30)
	rounds()
	mustRead(t, archive, 0, someEntries("another history", 1, 20))
	if first := inMemory(t, l, 0)[0].sequence; first != 1 {
		t.Errorf("memory begins at entry %d", first)
	}
	ledgertest.AssertConserved(t, l)
}

// What is written again after a failover, for an archive that cannot be read, is what the
// servers have.
func TestAWriterIsRewoundToWhatTheServersHave(t *testing.T) {
	log, server, s := new(logged), redistest.Start(t), &sink{room: -1}
	a, err := NewWriter(s, WriterOptions{Name: "tape"})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Addresses: []string{server.Addr()}, Log: log.logger(), Archive: a, pace: eager}
	l := openOn(t, o, nil)
	id := ledgertest.NewWallet(t, l, time.Now, 1000*pagePrice)
	views(t, l, id, time.Now, 30)
	allArchived(t, l, 0)
	data := copyOf(t, server)
	lost := views(t, l, id, time.Now, 40)
	allArchived(t, l, 0)
	l.Close()
	goBack(t, server, data)
	l = openOn(t, o, nil)
	again := views(t, l, id, time.Now, 50)
	allArchived(t, l, 0)
	ids := idsOf(t, writtenOf(t, s, 0))
	for _, c := range again {
		if !ids[c.ID] {
			t.Error("a charge after the failover is not in the archive")
		}
	}
	for _, c := range lost {
		if ids[c.ID] {
			t.Error("a charge that the servers have lost is not void")
		}
	}
	if r, err := l.Charge(context.Background(), again[49]); err != nil || r.Outcome != wallet.Replayed {
		t.Errorf("a retry answered %v, %v", r.Outcome, err)
	}
	l.Close()
}
