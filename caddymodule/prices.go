package caddymodule

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/meter"
)

// pricedRule is a rule of the configuration.
type pricedRule struct {
	meter.Rule
	paths []string
	title string // may hold placeholders
}

// ruleList is every rule of a configuration, in the order of provisioning.
type ruleList struct {
	mu    sync.RWMutex
	rules []pricedRule
}

// add takes a rule up. It refuses two rules of one name that sell different
// bundles: a visit bought under one would be good for the other.
func (l *ruleList) add(r pricedRule) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.rules {
		if other.Name == r.Name && other.Bundle != r.Bundle {
			return fmt.Errorf("paywall: two prices named %q sell different bundles; give one of them another name: rule <name>", r.Name)
		}
	}
	l.rules = append(l.rules, r)
	return nil
}

func (l *ruleList) all() []pricedRule {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.rules)
}

// title is what a rule's passes are for: its title where that is the same for
// every page, else its name.
func (l *ruleList) title(name string) string {
	for _, r := range l.all() {
		if r.Name == name && r.title != "" && !strings.Contains(r.title, "{") {
			return r.title
		}
	}
	return name
}

// sell reports whether a rule is for a path, as it is written.
func (l *ruleList) sell(path string) bool {
	return slices.ContainsFunc(l.all(), func(r pricedRule) bool { return slices.Contains(r.paths, path) })
}

// pricesJSON is the answer of GET /.paywall/prices.
type pricesJSON struct {
	Currency string     `json:"currency"`
	Rules    []ruleJSON `json:"rules"`
}

type ruleJSON struct {
	Rule   string      `json:"rule"`
	Paths  []string    `json:"paths,omitempty"`
	Window string      `json:"window"`
	Offers []offerJSON `json:"offers"`
}

// prices serves GET /.paywall/prices.
func (c *call) prices() error {
	answer := pricesJSON{Currency: c.app.currency.String(), Rules: []ruleJSON{}}
	for _, r := range c.app.rules.all() {
		answer.Rules = append(answer.Rules, ruleJSON{r.Name, r.paths, duration(r.Window), c.app.offers(r.Rule)})
	}
	c.public()
	writeJSON(c.w, http.StatusOK, "application/json", answer)
	return nil
}
