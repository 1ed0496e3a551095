package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// read has Prometheus' own parser read the page.
func read(t *testing.T, s *Set) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatalf("Prometheus does not read it: %v", err)
	}
	return families
}

func TestPrometheusReadsWhatAKioskCounts(t *testing.T) {
	s := new(Set)
	taps := s.Counter("taps_total", "Taps.", "kind", "reason")
	phases := s.Times("phase_seconds", "Phases.", "phase")
	s.Counter("nothing_total", "Never counted.")
	hostile := "A \"reader\"\nnamed \\ {x=\"y\"} 1"
	s.Gauge("reader_up", "Readers.", []string{"reader"}, func(tell func(int64, ...string)) { tell(1, hostile); tell(0, "b") })
	taps.Inc("paid", "")
	taps.Inc("refused", "no_money")
	taps.Inc("paid", "")
	for _, took := range []time.Duration{time.Microsecond, time.Millisecond, 1001 * time.Microsecond, time.Hour} {
		phases.Observe(took, "open")
	}
	families := read(t, s)
	if m := families["taps_total"].GetMetric(); len(m) != 2 || m[0].GetCounter().GetValue() != 2 || m[1].GetCounter().GetValue() != 1 {
		t.Errorf("taps are %v", m)
	}
	if m := families["reader_up"].GetMetric(); len(m) != 2 || m[0].GetLabel()[0].GetValue() != hostile || m[0].GetGauge().GetValue() != 1 {
		t.Errorf("readers are %v", m)
	}
	h := families["phase_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 4 || h.GetSampleSum() != 3600.002002 || len(h.GetBucket()) != len(bounds)+1 {
		t.Errorf("the histogram is %v", h)
	}
	for i, want := range []uint64{1, 2, 3, 3} {
		if got := h.GetBucket()[i].GetCumulativeCount(); got != want {
			t.Errorf("bucket %d has %d, want %d", i, got, want)
		}
	}
}

// The attack: something makes ever new labels, to fill a small machine's memory.
func TestLabelsHaveALimit(t *testing.T) {
	s := new(Set)
	c, h := s.Counter("a_total", "A.", "n"), s.Times("b_seconds", "B.", "n")
	s.Gauge("c", "C.", []string{"n"}, func(tell func(int64, ...string)) {
		for i := range 2 * mostSeries {
			tell(1, fmt.Sprint(i))
		}
	})
	var all sync.WaitGroup
	for i := range 2 * mostSeries {
		all.Go(func() {
			c.Inc(fmt.Sprint(i))
			h.Observe(1, fmt.Sprint(i))
			c.Inc("0")
		})
	}
	all.Wait()
	for name, f := range read(t, s) {
		if len(f.GetMetric()) != mostSeries {
			t.Errorf("%s has %d series", name, len(f.GetMetric()))
		}
	}
	if labels(nil, nil) != "" || !strings.Contains(labels([]string{"a"}, []string{"b"}), `a="b"`) {
		t.Error("labels are written wrongly")
	}
}
