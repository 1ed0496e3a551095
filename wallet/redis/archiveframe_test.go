package redis

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const someMark = 0x12345678

// FuzzFrame reads frames from arbitrary bytes. One that reads is, written again, the same
// bytes but for the link, which needs those before it.
func FuzzFrame(f *testing.F) {
	whole, _ := appendFrame(nil, someMark, 128, link{1}, &Entry{Sequence: 1, Tag: 2, Text: "text"})
	f.Add(whole)
	f.Add(whole[:frameHeader])
	f.Add(append(slices.Clone(whole), whole...))
	f.Add(make([]byte, 2*frameHeader))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, ok := decodeFrame(b, someMark)
		if !ok {
			return
		}
		again, _ := appendFrame(nil, someMark, found.synced, link{}, &found.Entry)
		if int64(len(again)) != found.size || !bytes.Equal(again[frameHeader:], b[frameHeader:found.size]) ||
			!bytes.Equal(again[:8], b[:8]) || !bytes.Equal(again[12:32], b[12:32]) {
			t.Fatalf("%+v is written again as other bytes", found)
		}
	})
}

// FuzzSegment finds the end of a segment of one entry and arbitrary bytes behind it. The
// entry is there, or the segment is damaged; without what is cut off it ends at the same
// place.
func FuzzSegment(f *testing.F) {
	n := segment{ledger: someLedger, number: 1, first: 1, mark: someMark}
	one, l := appendFrame(nil, someMark, segmentHeader, link{}, &Entry{Sequence: 1, Tag: 2, Text: "one"})
	two, _ := appendFrame(nil, someMark, segmentHeader+int64(len(one)), l, &Entry{Sequence: 2, Tag: 2, Text: "two"})
	f.Add([]byte{})
	f.Add(two)
	f.Add(one)
	f.Add(append([]byte{0}, two...))
	f.Add(two[:len(two)-1])
	f.Fuzz(func(t *testing.T, tail []byte) {
		file := slices.Concat(n.encode(), one, tail)
		all, damage, err := endOf(bytes.NewReader(file), &n, int64(len(file)))
		if err != nil && !errors.Is(err, wallet.ErrCorrupt) {
			t.Fatal(err)
		}
		if err != nil || damage != 0 {
			return
		}
		if all.last.Sequence == 0 {
			t.Fatal("the entry is cut off")
		}
		again, damage, err := endOf(bytes.NewReader(file[:all.at]), &n, all.at)
		if err != nil || damage != 0 || again.at != all.at || again.last != all.last || again.link != all.link {
			t.Fatalf("it ends at %d, and then at %d: %v", all.at, again.at, err)
		}
	})
}

// FuzzSegmentHeader reads headers from arbitrary bytes: one that reads is written again
// as the same bytes.
func FuzzSegmentHeader(f *testing.F) {
	n := segment{ledger: someLedger, shard: 3, number: 7, first: 100, behind: 120, tag: 5, mark: someMark, link: link{9}}
	f.Add(n.encode())
	f.Add(n.encode()[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := decodeSegment(b)
		if err != nil {
			return
		}
		again := found.encode()
		// What the format does not use is lost, and the checksum with it.
		if !bytes.Equal(again[:96], b[:96]) {
			t.Fatalf("%+v is written again as other bytes", found)
		}
	})
}

// Who can choose a text must not be able to make the archive find an entry in it.
func TestAFrameInsideATextIsNoEntry(t *testing.T) {
	a := attached(t, t.TempDir())
	a.size = segmentSize
	mustAppend(t, a, 0, someEntries("a", 1, 1))
	var inside []byte
	for range 3000 {
		inside, _ = appendFrame(inside, someMark, 0, link{}, &Entry{Sequence: 3, Tag: 1, Text: "forged"})
	}
	want := []Entry{{Sequence: 2, Tag: 1, Text: string(inside)}, {Sequence: 3, Tag: 4, Text: "genuine"}}
	if err := a.Append(context.Background(), 0, want); err != nil {
		t.Fatal(err)
	}
	if found, err := readAll(a, 0, 3, 3); err != nil || len(found) != 1 || found[0].Text != "genuine" {
		t.Errorf("got %d, %v", len(found), err)
	}
	mustRead(t, a, 0, append(someEntries("a", 1, 1), want...))
}
