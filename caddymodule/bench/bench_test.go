package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/bench/scale"
)

// The smallest benchmark: real programs, real wrk, and every answer accounted
// for by the paywall's count and by the ledger's entries (invariants 4 and 7).
// What it measures in so short a time is worth nothing.
func TestTheBenchmarkAccountsForEveryAnswer(t *testing.T) {
	var out, progress bytes.Buffer
	err := bench(t.Context(), options{
		rounds: 1, window: 200 * time.Millisecond, wallets: 100, dir: t.TempDir(), json: true,
		only:  regexp.MustCompile(`file_server, 64|reverse_proxy, 256`),
		scale: true, taps: 3,
		large: scale.Options{Wallets: 1000, Entries: 10_000, Burst: 50 * time.Millisecond, Settle: 50 * time.Millisecond},
	}, &out, &progress)
	if err != nil {
		t.Fatal(err)
	}
	var got result
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, out.Bytes())
	}
	want := []string{
		"file_server 64 bare, anonymous", "file_server 64 unpriced path",
		"file_server 64 402, HTML", "file_server 64 402, JSON", "file_server 64 402, text",
		"file_server 64 bare, cookie", "file_server 64 re-read, receipt",
		"file_server 64 bare, token", "file_server 64 re-read, token", "file_server 64 paid view, a new page each time",
		"reverse_proxy 256 bare, token", "reverse_proxy 256 paid view, a new page each time",
	}
	var names []string
	for _, l := range got.Lines {
		name := strings.Join([]string{l.Site, map[int]string{64: "64", 256: "256"}[l.Connections], l.Name}, " ")
		names = append(names, name)
		if l.Rate <= 0 || l.Ratio <= 0 || l.P50 <= 0 || l.P99 < l.P50 || l.Least > l.Ratio || l.Greatest < l.Ratio {
			t.Errorf("%s was measured as %+v", name, l)
		}
	}
	if strings.Join(names, "\n") != strings.Join(want, "\n") {
		t.Errorf("the table has\n%s\nnot\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	if m := got.Machine; m.Cores < 1 || m.CPU == unknown || m.Kernel == unknown || m.FileSystem == unknown || m.Caddy == unknown || m.Wrk == unknown {
		t.Errorf("the machine is %+v", m)
	}
	if got.Taps == nil || len(got.Taps.Rows) != 4 || got.Taps.Program < 1e6 || got.Taps.Resident < 1e6 {
		t.Fatalf("taps were measured as %+v", got.Taps)
	}
	for _, r := range got.Taps.Rows {
		if r.Taps != 3 || r.P50 <= 0 || r.P95 < r.P50 || r.P99 < r.P95 {
			t.Errorf("taps were measured as %+v", r)
		}
	}
	wantTables(t, got)
}

// The same with the ledger on Redis in each of the ways, where the servers are the
// benchmark's own.
func TestTheBenchmarkAccountsForEveryAnswerWithTheLedgerOnRedis(t *testing.T) {
	var out, progress bytes.Buffer
	err := bench(t.Context(), options{
		rounds: 1, window: 200 * time.Millisecond, wallets: 100, dir: t.TempDir(), json: true,
		only:  regexp.MustCompile(`Redis.*(file_server, 64|alone, 16)`),
		redis: true, redisMemory: true, redisSizes: redisPlan{200, 2, 1},
	}, &out, &progress)
	if err != nil {
		t.Fatal(err)
	}
	var got result
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, out.Bytes())
	}
	if len(got.Lines) != 0 || len(got.Redis.Setups) != len(redisSetups) || len(got.Redis.Alone) != len(aloneSetups) {
		t.Fatalf("it has measured %s", out.Bytes())
	}
	for i, s := range got.Redis.Setups {
		if s.Setup != redisSetups[i].Name || len(s.Lines) != 2 || !s.Lines[0].Bare {
			t.Fatalf("%s has %+v", redisSetups[i].Name, s)
		}
		if l := s.Lines[1]; l.Rate <= 0 || l.LedgerCPU <= 0 || l.ServerCPU <= 0 || l.Commands <= 0 || l.Commands > 2 {
			t.Errorf("%s was measured as %+v", s.Setup, l)
		}
	}
	for _, l := range got.Redis.Alone {
		if l.PerSecond <= 0 || l.P50 <= 0 || l.P99 < l.P50 || l.RedisCPU <= 0 || l.ClientCPU <= 0 || l.Together < 1 {
			t.Errorf("%v was measured as %+v", l.aloneRow, l)
		}
	}
	if m := got.Redis.Memory; m.Wallet <= 0 || m.View <= 0 || m.ViewJournal <= 0 || m.ViewAOF <= 0 {
		t.Errorf("memory was measured as %+v", m)
	}
	var text bytes.Buffer
	if err := got.write(&text, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nRedis, always, two Caddys\n\n| site |", "| Redis, everysec | 16 | charge | ", "| journal of a view | "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the tables do not have %q:\n%s", want, text.String())
		}
	}
}

// wantTables wants every figure's row in the text that people get.
func wantTables(t *testing.T, r result) {
	t.Helper()
	var out bytes.Buffer
	if err := r.write(&out, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| file_server | 64 | unpriced path | ", "| reverse_proxy | 256 | bare, token | ",
		"1000 wallets, 10000 entries", "| durable charges by 256 callers | ", "while a snapshot is made | p50 ",
		"| bank card (fDDA) | ", "MB for ARMv6",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables do not have %q:\n%s", want, out.String())
		}
	}
}

// A paywall that lets readers in for nothing would look fast.
func TestARowWhoseBooksDisagreeFails(t *testing.T) {
	paid := row{fresh: true, outcome: "paid"}
	for name, c := range map[string]struct {
		row           row
		before, after books
		wrong         bool
	}{
		"every answer was charged":           {paid, books{3, 30}, books{8, 35}, false},
		"an answer was not charged":          {paid, books{3, 30}, books{7, 34}, true},
		"an answer was charged twice":        {paid, books{3, 30}, books{8, 36}, true},
		"an entry is missing":                {paid, books{3, 30}, books{8, 34}, true},
		"a re-read is no entry":              {row{outcome: "granted"}, books{3, 0}, books{8, 0}, false},
		"a re-read was answered another way": {row{outcome: "granted"}, books{3, 0}, books{7, 0}, true},
		"what has no price is in no book":    {row{}, books{}, books{}, false},
	} {
		if err := c.row.agree(c.before, c.after, 5); (err != nil) != c.wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARunThatDoesNotAddUpFails(t *testing.T) {
	whole := report{Sent: 100, Parked: 64, Answers: 100}
	lost, waiting, broken := whole, whole, whole
	lost.Answers, waiting.Parked, broken.Errors = 99, 63, 1
	for name, c := range map[string]struct {
		report report
		wrong  bool
	}{
		"everything was answered":    {whole, false},
		"a request was not answered": {lost, true},
		"a connection still waits":   {waiting, true},
		"a connection broke":         {broken, true},
	} {
		if err := c.report.check(load{connections: 64}); (err != nil) != c.wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMedianIsTheMiddle(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{2}, 2}, {[]float64{9, 1}, 5}, {[]float64{5, 1, 9}, 5}, {[]float64{8, 2, 4, 100}, 6}} {
		if got := median(c.values); got != c.want {
			t.Errorf("the median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}
