package scale

import (
	"os"
	"testing"
	"time"
)

func TestASmallLedgerIsMeasuredInEveryWay(t *testing.T) {
	dir := t.TempDir()
	r, err := Run(t.Context(), Options{Dir: dir, Wallets: 1_000, Entries: 10_000, Burst: 100 * time.Millisecond, Settle: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if r.Wallets != 1_000 || r.Entries != 10_000 || r.WalletBytes <= 0 || r.EntryBytes <= 0 || r.SnapshotBytes <= 0 || r.HeapBytes <= 0 {
		t.Errorf("sizes: %+v", r)
	}
	if r.StartClean <= 0 || r.StartUnclean <= 0 || r.StartJournal <= 0 || r.SnapshotTook <= 0 || r.VerifyTook <= 0 {
		t.Errorf("times: %+v", r)
	}
	if len(r.Speeds) != 3 {
		t.Fatalf("speeds: %+v", r.Speeds)
	}
	for _, l := range []Latency{r.Speeds[0].Latency, r.Speeds[1].Latency, r.Speeds[2].Latency, r.Quiet} {
		if l.Charges == 0 || l.P50 <= 0 || l.P99 < l.P50 || l.Max < l.P99 {
			t.Errorf("latency: %+v", l)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	t.Logf("%+v", r)
}
