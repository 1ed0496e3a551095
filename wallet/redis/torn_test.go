package redis

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// journalFile is the file that a server appends to.
func journalFile(t *testing.T, s *redistest.Server) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir(), "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the server has files %v, %v", files, err)
	}
	return files[len(files)-1] // one before it may not be removed yet
}

// tear cuts the last transaction of a server's file off in the middle of its command of a
// number, as a server leaves it that is killed while it writes.
func tear(t *testing.T, s *redistest.Server, command int) {
	t.Helper()
	file := journalFile(t, s)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(text, []byte("*1\r\n$5\r\nMULTI\r\n"))
	if at < 0 {
		t.Fatal("the file has no transaction")
	}
	for range command + 1 {
		next := bytes.Index(text[at+1:], []byte("\r\n*"))
		if next < 0 {
			t.Fatalf("the transaction has no command %d", command)
		}
		at += 1 + next + len("\r\n")
	}
	if err := os.Truncate(file, int64(at+5)); err != nil {
		t.Fatal(err)
	}
}

// A server that is killed while it writes leaves half of a transaction in its file. It
// starts without that half and yet keeps it (Redis 7.0.15, aof.c: what is cut off is cut
// inside the transaction), so that the next start carries out what nobody has ever seen,
// together with all that was acknowledged since (invariants 1, 5, 7).
func TestHalfATransactionIsNotKept(t *testing.T) {
	for command := range 4 {
		t.Run(fmt.Sprint("torn in command ", command), func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			o := Options{Addresses: []string{s.Addr()}}
			l := openOn(t, o, nil)
			torn := ledgertest.NewWallet(t, l, time.Now, 10*wallet.Unit)
			other := ledgertest.NewWallet(t, l, time.Now, 10*wallet.Unit)
			pay := func(l *Ledger, w wallet.WalletID, page string) wallet.Charge {
				c := wallet.Charge{
					ID: ledgertest.NewID(t, time.Now), Wallet: w, Generation: 1, Rule: "news", Resource: page, Price: wallet.Unit, Window: time.Hour,
				}
				applied(t)(l.Charge(t.Context(), c))
				return c
			}
			pay(l, torn, "news:/torn")
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			s.Kill()
			tear(t, s, command)
			s.Restart()
			l = openOn(t, o, nil)
			if w, err := l.Wallet(t.Context(), torn); err != nil || w.Available != 10*wallet.Unit {
				t.Fatalf("what was torn has happened: %+v, %v", w, err)
			}
			kept := pay(l, other, "news:/kept")
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			s.Kill()
			s.Restart()
			l = openOn(t, o, nil)
			if w, err := l.Wallet(t.Context(), torn); err != nil || w.Available != 10*wallet.Unit {
				t.Errorf("invariant 1: what was torn happens at the second start: %+v, %v", w, err)
			}
			if r, err := l.Charge(t.Context(), kept); err != nil || r.Outcome != wallet.Replayed {
				t.Errorf("invariant 5: what was acknowledged is %+v, %v", r, err)
			}
			ledgertest.AssertConserved(t, l)
		})
	}
}
