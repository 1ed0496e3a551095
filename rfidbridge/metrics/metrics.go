// Package metrics counts what a kiosk does, and tells it in the text that Prometheus reads
// (exposition format 0.0.4).
//
// It promises little memory, at most mostSeries combinations of labels for each metric, and
// a page at any time. It has counters, gauges that are read when somebody asks, and
// histograms of times: what one kiosk needs. Prometheus' own library would be two megabytes
// of a program that may have ten. It does not know what is counted.
package metrics

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// mostSeries is how many combinations of labels a metric has. More are not counted.
const mostSeries = 100

// Set is the metrics of one program. They are made before they are read; counting is safe
// for concurrent use.
type Set struct {
	mu       sync.Mutex // for what is counted
	families []family
}

// family is one metric with all its labels.
type family struct {
	name, help, kind string
	write            func(page *bytes.Buffer)
}

// labels are the text of a series' labels, such as {reader="ACS"}; a label's name comes
// before its value. more are those that a histogram adds.
func labels(names, values []string, more ...string) string {
	var pairs []string
	for i, name := range names {
		pairs = append(pairs, name+`="`+escape.Replace(values[i])+`"`)
	}
	pairs = append(pairs, more...)
	if len(pairs) == 0 {
		return ""
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// series are the values of a metric by its labels' values.
type series[T any] struct {
	values map[string]*T
	labels map[string][]string
}

// at is the value of a combination of labels, which is made where there is room; else nil.
func (s *series[T]) at(values []string) *T {
	key := strings.Join(values, "\x00")
	if one, known := s.values[key]; known {
		return one
	}
	if len(s.values) >= mostSeries {
		return nil
	}
	if s.values == nil {
		s.values, s.labels = make(map[string]*T), make(map[string][]string)
	}
	s.values[key], s.labels[key] = new(T), slices.Clone(values)
	return s.values[key]
}

// each calls do for all, in an order that stays.
func (s *series[T]) each(do func(values []string, one *T)) {
	keys := make([]string, 0, len(s.values))
	for key := range s.values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		do(s.labels[key], s.values[key])
	}
}

// Counter is a number that only grows.
type Counter struct {
	set    *Set
	series series[uint64]
}

// Counter makes one. Its name ends in _total.
func (s *Set) Counter(name, help string, names ...string) *Counter {
	c := &Counter{set: s}
	s.families = append(s.families, family{name, help, "counter", func(page *bytes.Buffer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.series.each(func(values []string, count *uint64) {
			fmt.Fprintf(page, "%s%s %d\n", name, labels(names, values), *count)
		})
	}})
	return c
}

// Inc counts one, with a value for each label.
func (c *Counter) Inc(values ...string) {
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	if count := c.series.at(values); count != nil {
		*count++
	}
}

// Gauge makes a number that is what read tells when somebody asks. read tells it once for
// each combination of labels.
func (s *Set) Gauge(name, help string, names []string, read func(tell func(value int64, values ...string))) {
	s.families = append(s.families, family{name, help, "gauge", func(page *bytes.Buffer) {
		left := mostSeries
		read(func(value int64, values ...string) {
			if left--; left >= 0 {
				fmt.Fprintf(page, "%s%s %d\n", name, labels(names, values), value)
			}
		})
	}})
}

// bounds are the upper ends of a histogram's buckets: from what a good disk takes to what
// nobody waits for.
var bounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second,
}

// Times is a histogram of how long something takes.
type Times struct {
	set    *Set
	series series[histogram]
}

type histogram struct {
	buckets [len(bounds)]uint64 // of those that took no longer than the bound, and longer than the one before
	count   uint64
	sum     time.Duration
}

// Times makes one. Its name ends in _seconds.
func (s *Set) Times(name, help string, names ...string) *Times {
	t := &Times{set: s}
	s.families = append(s.families, family{name, help, "histogram", func(page *bytes.Buffer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.series.each(func(values []string, h *histogram) { h.write(page, name, names, values) })
	}})
	return t
}

// Observe notes one time, with a value for each label.
func (t *Times) Observe(took time.Duration, values ...string) {
	t.set.mu.Lock()
	defer t.set.mu.Unlock()
	h := t.series.at(values)
	if h == nil {
		return
	}
	h.count++
	h.sum += took
	for i, bound := range bounds {
		if took <= bound {
			h.buckets[i]++
			return
		}
	}
}

func (h *histogram) write(page *bytes.Buffer, name string, names, values []string) {
	below := uint64(0)
	for i, bound := range bounds {
		below += h.buckets[i]
		fmt.Fprintf(page, "%s_bucket%s %d\n", name, labels(names, values, `le="`+seconds(bound)+`"`), below)
	}
	fmt.Fprintf(page, "%s_bucket%s %d\n", name, labels(names, values, `le="+Inf"`), h.count)
	fmt.Fprintf(page, "%s_sum%s %s\n", name, labels(names, values), seconds(h.sum))
	fmt.Fprintf(page, "%s_count%s %d\n", name, labels(names, values), h.count)
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) }

// ServeHTTP serves the page of all metrics at any path.
func (s *Set) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	for _, f := range s.families {
		fmt.Fprintf(&page, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		f.write(&page)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(page.Bytes()) // who has asked may be gone
}
