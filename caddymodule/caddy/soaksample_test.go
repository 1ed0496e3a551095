package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What may be more in the last third than in the first, beyond what the ledger
// keeps: the collector's and the allocator's leeway, and what is under way.
const (
	heapSlack      = 3 << 20 // bytes, after a collection
	residentSlack  = 48 << 20
	goroutineSlack = 20
	fileSlack      = 20
)

// What the ledger keeps, in bytes: the id of each charge for an hour, and each
// wallet for ever; see package local. Its tables are up to half empty.
const (
	keptPerCharge = 2 * 55
	keptPerWallet = 2 * 220
)

// sample is what the process holds at one instant.
type sample struct {
	at         time.Duration // since the load began
	requests   int64
	charges    int64
	wallets    int64
	heap       int64 // bytes in use, after a collection
	resident   int64 // bytes of memory that belong to no file
	goroutines int64
	files      int64 // descriptors
}

const sampleHead = "   time  requests  charges  wallets  heap MiB  resident MiB  goroutines  files"

func (s sample) String() string {
	return fmt.Sprintf("%7v %9d %8d %8d %9.1f %13.1f %11d %6d", s.at.Round(time.Second),
		s.requests, s.charges, s.wallets, mib(s.heap), mib(s.resident), s.goroutines, s.files)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

var (
	heapLine      = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)
	goroutineLine = regexp.MustCompile(`^goroutine profile: total (\d+)`)
	residentLine  = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB$`)
)

// sample looks at the process through Caddy's admin endpoint, which collects
// the garbage first, and the kernel.
func (s *server) sample(l *load) sample {
	s.Helper()
	taken := sample{at: time.Since(l.began), requests: l.requests(), charges: l.charges.Load(), wallets: l.wallets.Load()}
	taken.heap = s.number(heapLine, s.profile("heap?gc=1&debug=1"))
	taken.goroutines = s.number(goroutineLine, s.profile("goroutine?debug=1"))
	process := fmt.Sprintf("/proc/%d/", s.process.Process.Pid)
	status, err := os.ReadFile(process + "status")
	if err != nil {
		s.Fatalf("this test reads Linux's /proc: %v", err)
	}
	taken.resident = s.number(residentLine, string(status)) << 10
	files, err := os.ReadDir(process + "fd")
	if err != nil {
		s.Fatal(err)
	}
	taken.files = int64(len(files))
	return taken
}

func (s *server) profile(name string) string {
	s.Helper()
	answer, err := (&http.Client{Timeout: commandTimeout}).Get("http://" + s.admin + "/debug/pprof/" + name)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		s.Fatalf("profile %s answers %d, %v", name, answer.StatusCode, err)
	}
	return string(text)
}

func (s *server) number(pattern *regexp.Regexp, text string) int64 {
	s.Helper()
	found := pattern.FindStringSubmatch(text)
	if found == nil {
		s.Fatalf("%v is not in\n%.300s", pattern, text)
	}
	number, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		s.Fatal(err)
	}
	return number
}

// assertFlat compares the last third with the first, after a quarter of the
// run for warming up: until then caches fill.
func assertFlat(t *testing.T, taken []sample) {
	t.Helper()
	warm := taken[len(taken)/4:]
	early, late := mean(warm[:len(warm)/3]), mean(warm[len(warm)-len(warm)/3:])
	kept := keptPerCharge*(late.charges-early.charges) + keptPerWallet*(late.wallets-early.wallets)
	var grown []string
	for _, c := range []struct {
		what        string
		early, late int64
		slack       int64
	}{
		{"heap", early.heap, late.heap, heapSlack + kept},
		{"resident memory", early.resident, late.resident, residentSlack + kept},
		{"goroutines", early.goroutines, late.goroutines, goroutineSlack},
		{"files", early.files, late.files, fileSlack},
	} {
		t.Logf("%s: %d in the first third, %d in the last, may grow by %d", c.what, c.early, c.late, c.slack)
		if c.late > c.early+c.slack {
			grown = append(grown, c.what)
		}
	}
	if grown != nil {
		t.Errorf("more and more: %s", strings.Join(grown, ", "))
	}
}

func mean(taken []sample) (m sample) {
	n := int64(len(taken))
	for _, s := range taken {
		m.charges += s.charges
		m.wallets += s.wallets
		m.heap += s.heap
		m.resident += s.resident
		m.goroutines += s.goroutines
		m.files += s.files
	}
	return sample{
		charges: m.charges / n, wallets: m.wallets / n,
		heap: m.heap / n, resident: m.resident / n, goroutines: m.goroutines / n, files: m.files / n,
	}
}
