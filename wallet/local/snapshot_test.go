package local

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A snapshot that does not read is no loss: the journal has everything, and an
// operator hears of it (invariant 5).
func TestABrokenSnapshotIsSetAside(t *testing.T) {
	dir, charges := busyLedger(t)
	path := filepath.Join(dir, snapshotName)
	whole := read(t, path)
	for name, broken := range map[string][]byte{
		"flipped": append(slices.Clone(whole[:len(whole)/2]), append([]byte{^whole[len(whole)/2]}, whole[len(whole)/2+1:]...)...),
		"cut":     whole[:len(whole)/2],
		"empty":   {},
	} {
		t.Run(name, func(t *testing.T) {
			overwrite(t, path, broken)
			var log bytes.Buffer
			l, err := Open(Options{Dir: dir, SegmentSize: smallSegments, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			for _, c := range charges {
				if r, err := l.Charge(context.Background(), c); err != nil || r.Outcome != wallet.Replayed {
					t.Fatalf("invariant 5: %v, %v", r.Outcome, err)
				}
			}
			sameBooks(t, l)
			if !strings.Contains(log.String(), brokenSnapshot) {
				t.Errorf("the operator was not told; log: %s", log.String())
			}
			if got := read(t, filepath.Join(dir, brokenSnapshot)); !bytes.Equal(got, broken) {
				t.Error("the broken snapshot was not kept")
			}
		})
	}
}
