package main

import (
	"fmt"
	"io"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/bench/scale"
)

// writeScale writes what a large ledger costs as a Markdown table.
func writeScale(w io.Writer, r *scale.Result) {
	fmt.Fprintf(w, "\n| the ledger alone, %d wallets, %d entries | |\n|---|---|\n", r.Wallets, r.Entries)
	for _, one := range []struct {
		what  string
		bytes int
	}{
		{"memory for a wallet", r.WalletBytes}, {"disk for an entry", r.EntryBytes},
		{"snapshot", r.SnapshotBytes}, {"memory in use with everything", r.HeapBytes},
	} {
		fmt.Fprintf(w, "| %s | %d bytes |\n", one.what, one.bytes)
	}
	for _, one := range []struct {
		what string
		took time.Duration
	}{
		{"start", r.StartClean}, {"start after kill -9", r.StartUnclean}, {"start without a snapshot", r.StartJournal},
		{"making a snapshot", r.SnapshotTook}, {"verifying the books", r.VerifyTook},
	} {
		fmt.Fprintf(w, "| %s | %v |\n", one.what, one.took.Round(time.Millisecond))
	}
	for _, s := range r.Speeds {
		fmt.Fprintf(w, "| durable charges by %d callers | %d a second, %v |\n", s.Callers, s.PerSecond, latency(s.Latency))
	}
	for _, one := range []struct {
		what string
		scale.Latency
	}{
		{"quiet", r.Quiet}, {"while a snapshot is made", r.Snapshot}, {"while the books are verified", r.Verify},
	} {
		fmt.Fprintf(w, "| charges of a web server, %s | %v |\n", one.what, latency(one.Latency))
	}
}

// latency is a scale.Latency that writes itself for the table.
type latency scale.Latency

func (l latency) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, longest %v", round(l.P50), round(l.P99), round(l.Max))
}
