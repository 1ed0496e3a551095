package caddymodule

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// outcome is what became of a request for a priced page.
type outcome string

const (
	outcomePaid        outcome = "paid"        // charged
	outcomeVisit       outcome = "visit"       // a visit of a bundle was taken
	outcomeGranted     outcome = "granted"     // paid for before
	outcomeRefunded    outcome = "refunded"    // not delivered after all, so the money went back
	outcomeUnpaid      outcome = "unpaid"      // would have been charged, but was not delivered
	outcomeChallenged  outcome = "challenged"  // 402
	outcomeLimited     outcome = "limited"     // 429
	outcomeRefused     outcome = "refused"     // another 4xx
	outcomeUnavailable outcome = "unavailable" // 503
)

var outcomes = [...]outcome{
	outcomePaid, outcomeVisit, outcomeGranted, outcomeRefunded,
	outcomeUnpaid, outcomeChallenged, outcomeLimited, outcomeRefused, outcomeUnavailable,
}

// collectors are the paywall's metrics. They are global because counts must
// outlive a configuration: each gets a new registry, and the same collectors
// are registered in it. Labels are rules and outcomes, both few; never a
// wallet or a path.
var collectors = struct {
	answers *prometheus.CounterVec
	charged *prometheus.CounterVec
	up      prometheus.GaugeFunc
}{
	answers: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: appName, Name: "answers_total",
		Help: "Requests for priced pages, by what became of them.",
	}, []string{"rule", "outcome"}),
	charged: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: appName, Name: "charged_total",
		Help: "Money charged, in units of the currency, before refunds.",
	}, []string{"rule", "currency"}),
	up: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "caddy", Subsystem: appName, Name: "ledger_up",
		Help: "Whether the ledger answers: 1, or 0 while it has stopped or is late.",
	}, ledgersUp),
}

// registerMetrics registers the collectors in a configuration's registry.
func registerMetrics(registry prometheus.Registerer) error {
	for _, c := range append(kioskCollectors(), collectors.answers, collectors.charged, collectors.up) {
		if err := registry.Register(c); err != nil && !errors.As(err, &prometheus.AlreadyRegisteredError{}) {
			return err
		}
	}
	return nil
}

// counters are the metrics of one rule, looked up once.
type counters struct {
	answers map[outcome]prometheus.Counter
	charged prometheus.Counter
}

func countersOf(rule string, currency wallet.Currency) counters {
	c := counters{
		answers: make(map[outcome]prometheus.Counter, len(outcomes)),
		charged: collectors.charged.WithLabelValues(rule, currency.String()),
	}
	for _, o := range outcomes {
		c.answers[o] = collectors.answers.WithLabelValues(rule, string(o))
	}
	return c
}

// units is an amount as a metric, which is a float by nature; the ledger keeps
// the exact sum.
func units(amount wallet.Amount) float64 { return float64(amount) / float64(wallet.Unit) }

// became records what became of the request.
func (s *sale) became(o outcome) {
	s.outcome = o
	s.count.answers[o].Inc()
}
