package meter

import (
	"bytes"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"pgregory.net/rapid"
)

func anyQuote(t *rapid.T) Quote {
	return NewQuote(
		wallet.OpID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
		Rule{
			Name: rapid.String().Draw(t, "name"), Price: wallet.Amount(rapid.Int64Range(0, int64(wallet.MaxAmount)).Draw(t, "price")),
			Window: time.Duration(rapid.IntRange(1, 400*86400).Draw(t, "window")) * time.Second,
			Bundle: Bundle{
				Visits: rapid.IntRange(0, wallet.MaxVisits).Draw(t, "visits"), Price: wallet.Amount(rapid.Int64Range(0, int64(wallet.MaxAmount)).Draw(t, "bundle")),
				Validity: time.Duration(rapid.IntRange(0, 400*86400).Draw(t, "validity")) * time.Second,
			},
		},
		string(rapid.SliceOf(rapid.Byte()).Draw(t, "resource")), string(rapid.SliceOf(rapid.Byte()).Draw(t, "return")),
		time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "now")),
	)
}

func TestAMessageIsReadAsItWasWrittenAndNeverInPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := anyQuote(t)
		message := q.appendMessage(nil)
		read, ok := readMessage(message)
		if !ok || !read.Expires.Equal(q.Expires) {
			t.Fatalf("read %+v, %t; written %+v", read, ok, q)
		}
		if read.Expires = q.Expires; read != q {
			t.Fatalf("read %+v; written %+v", read, q)
		}
		if part, ok := readMessage(message[:rapid.IntRange(0, len(message)-1).Draw(t, "cut")]); ok {
			t.Errorf("a part of the message reads as %+v", part)
		}
		if more, ok := readMessage(append(message, rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "more")...)); ok {
			t.Errorf("more than the message reads as %+v", more)
		}
		if other, ok := readMessage(append([]byte{messageFormat + 1}, message[1:]...)); ok {
			t.Errorf("a message of another format reads as %+v", other)
		}
	})
}

// FuzzReadMessage: whatever a message is, it is read without a panic, and no
// text is read that is not in it.
func FuzzReadMessage(f *testing.F) {
	f.Add(quote(f).appendMessage(nil))
	f.Add([]byte{messageFormat})
	f.Add(append(make([]byte, 17), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"...))
	f.Fuzz(func(t *testing.T, message []byte) {
		q, ok := readMessage(message)
		texts := len(q.Rule.Name) + len(q.Resource) + len(q.Return)
		if ok && (texts+len(q.ID) >= len(message) || !bytes.Contains(message, []byte(q.Resource))) {
			t.Fatalf("%x reads as %+v", message, q)
		}
	})
}

func BenchmarkQuote(b *testing.B) {
	q := quote(b)
	text := q.Seal(ours)
	b.Run("do=seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			q.Seal(ours)
		}
		b.ReportMetric(float64(len(text)), "B/quote")
	})
	b.Run("do=open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := OpenQuote(ours, text, now); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkResource(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Resource("localhost:8402", "/research/1")
	}
}
