package caddymodule

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// collectors are the paywall's metrics. They are global because counts must
// outlive a configuration: each gets a new registry, and the same collectors
// are registered in it. Labels are rules and outcomes, both few; never a
// wallet or a path.
var collectors = struct {
	answers *prometheus.CounterVec
	charged *prometheus.CounterVec
}{
	answers: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: appName, Name: "answers_total",
		Help: "Requests for priced pages, by what became of them.",
	}, []string{"rule", "outcome"}),
	charged: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: appName, Name: "charged_total",
		Help: "Money charged, in units of the currency, before refunds.",
	}, []string{"rule", "currency"}),
}

// registerMetrics registers the collectors in a configuration's registry.
func registerMetrics(registry prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{collectors.answers, collectors.charged} {
		if err := registry.Register(c); err != nil && !errors.As(err, &prometheus.AlreadyRegisteredError{}) {
			return err
		}
	}
	return nil
}

// outcome records what became of a request for a priced page.
func (s *sale) outcome(name string) {
	s.place("outcome", name)
	collectors.answers.WithLabelValues(s.rule.Name, name).Inc()
}

// countCharge records money that was charged. A metric is a float by nature;
// the ledger keeps the exact sum.
func (a *App) countCharge(rule string, amount wallet.Amount) {
	collectors.charged.WithLabelValues(rule, a.currency.String()).Add(float64(amount) / float64(wallet.Unit))
}
