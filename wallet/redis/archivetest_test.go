package redis

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
)

// What the tests of the archive share.

const someLedger = "00112233445566778899aabbccddeeff"

// someEntries are the entries of a history from one number to another; another history
// has other tags and texts.
func someEntries(history string, from, to uint64) []Entry {
	var entries []Entry
	for n := from; n <= to; n++ {
		text := fmt.Sprintf("%s %d %*d", history, n, 1+n*37%300, n)
		entries = append(entries, Entry{Sequence: n, Tag: n*1000 + uint64(len(history)), Text: text})
	}
	return entries
}

func attached(t testing.TB, path string) *directory {
	t.Helper()
	d := smallArchive(t, path)
	if _, err := d.Attach(context.Background(), someLedger); err != nil {
		t.Fatal(err)
	}
	return d
}

// mustAppend appends in writes of a few.
func mustAppend(t testing.TB, a Archive, shard int, entries []Entry) {
	t.Helper()
	for some := range slices.Chunk(entries, 3) {
		if err := a.Append(context.Background(), shard, some); err != nil {
			t.Fatal(err)
		}
	}
}

func mustRewind(t testing.TB, a Archive, shard int, to Entry) {
	t.Helper()
	if err := a.Rewind(context.Background(), shard, to.place()); err != nil {
		t.Fatal(err)
	}
}

// readAll reads what an archive has of a shard.
func readAll(a Archive, shard int, from, to uint64) (found []Entry, err error) {
	err = a.Read(context.Background(), shard, from, to, func(e Entry) error {
		found = append(found, e)
		return nil
	})
	return found, err
}

// mustRead makes sure that an archive has these entries, however they are asked for.
func mustRead(t testing.TB, a Archive, shard int, want []Entry) {
	t.Helper()
	found, err := readAll(a, shard, 0, 1<<40)
	if err != nil || !slices.Equal(found, want) {
		t.Fatalf("the archive has %d entries, want %d; %v", len(found), len(want), err)
	}
	for i := range want {
		if one, err := readAll(a, shard, want[i].Sequence, want[i].Sequence); err != nil || len(one) != 1 || one[0] != want[i] {
			t.Fatalf("entry %d alone: %v, %v", want[i].Sequence, one, err)
		}
	}
	last, err := a.Last(context.Background(), shard)
	if err != nil || len(want) > 0 && last != want[len(want)-1].place() {
		t.Fatalf("the last entry is %v, %v", last, err)
	}
}

// segmentsIn lists the segments of a shard, in order.
func segmentsIn(t testing.TB, path string, shard int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, fmt.Sprintf(shardFolder, shard), "*"+segmentSuffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	slices.Sort(files)
	return files
}

func mustClose(t testing.TB, a Archive) {
	t.Helper()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, durable.FileMode); err != nil {
		t.Fatal(err)
	}
}
