package caddymodule

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// tapMetrics are the metrics of taps. Like collectors they are global, and their labels are
// few: never a card, a wallet or a product.
var tapMetrics = tapCollectors{
	taps: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: appName, Name: "taps_total",
		Help: "Verdicts on taps, at kiosks, tills and phones, with the reason of a refusal; of a tap that was sent again one more.",
	}, []string{"outcome", "reason"}),
	ends: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: appName, Name: "tap_ends_total",
		Help: "Ends of what was granted: captured, released, or expired because the money had gone back; of offline taps settled, owed, reversed or lost.",
	}, []string{"outcome"}),
	seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "caddy", Subsystem: appName, Name: "tap_seconds",
		Help:    "How long a verdict took, from a kiosk's request to the answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}),
}

type tapCollectors struct {
	taps    *prometheus.CounterVec
	ends    *prometheus.CounterVec
	seconds prometheus.Histogram
}

// failed is the outcome of what had none: the request was wrong, or the ledger is down.
const failed = "failed"

func (m tapCollectors) judged(v wire.Verdict, err error) {
	outcome, reason := string(v.Outcome), string(v.Reason)
	if err != nil {
		outcome, reason = failed, ""
	}
	m.taps.WithLabelValues(outcome, reason).Inc()
}

func (m tapCollectors) ended(outcome string) { m.ends.WithLabelValues(outcome).Inc() }

// kioskCollectors are those that kiosks add to the paywall's.
func kioskCollectors() []prometheus.Collector {
	return []prometheus.Collector{tapMetrics.taps, tapMetrics.ends, tapMetrics.seconds, kioskGauges{}}
}

// kioskGauges tell how kiosks are, as far as this process has heard of them: the operator
// has enrolled each by name, so that they are few.
type kioskGauges struct{}

func kioskGauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("caddy", appName, name), help, labels, nil)
}

var (
	kioskSeen    = kioskGauge("kiosk_seen_timestamp_seconds", "When a kiosk's newest request came here.", "kiosk")
	kioskBacklog = kioskGauge("kiosk_backlog", "Taps of a kiosk whose end the paywall has not heard of.", "kiosk")
	kioskReaders = kioskGauge("kiosk_readers", "Readers of a kiosk.", "kiosk")
	kioskFaulty  = kioskGauge("kiosk_readers_faulty", "Readers of a kiosk that read nothing.", "kiosk")
	tapsHeld     = kioskGauge("taps_held", "Taps granted here whose money waits for a capture or a release.")
)

// Describe implements [prometheus.Collector].
func (kioskGauges) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{kioskSeen, kioskBacklog, kioskReaders, kioskFaulty, tapsHeld} {
		descs <- d
	}
}

// Collect implements [prometheus.Collector].
func (kioskGauges) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, k := range tapNotes.Pulses() {
		gauge(kioskSeen, float64(k.Seen.UnixMilli())/1000, k.Kiosk)
		gauge(kioskBacklog, float64(k.Backlog), k.Kiosk)
		gauge(kioskReaders, float64(k.Readers), k.Kiosk)
		gauge(kioskFaulty, float64(k.Faulty), k.Kiosk)
	}
	gauge(tapsHeld, float64(tapNotes.Held(time.Now())))
}
