package caddymodule

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// weatherRow is one line of the policy table: a site, what its upstream does, what is
// asked, and what the wallet's entries say afterwards.
type weatherRow struct {
	name   string
	site   string // directives; empty: an upstream at ten cents. $UPSTREAM is the address of serve, $HANDLER is serve in this process
	routes string // what stands beside the site in the Caddyfile
	serve  func(f *flight, w http.ResponseWriter, r *http.Request)
	visits []visit       // asked one after the other
	story  func(*flight) // asked after them, where one answer after the other is not all
	only   string        // the one protocol that has it; empty: all

	ledger string // the kinds of the wallet's entries since it had its unit of money, oldest first
	left   string // of that unit; empty: all of it
}

// visit is one request and what becomes of it.
type visit struct {
	by      func(*flight) *visitor // empty: the machine that owns the wallet
	method  string                 // empty: GET
	path    string                 // empty: /articles/1
	header  []string               // in pairs
	status  int
	outcome string // the placeholder after the answer; empty: no price was asked
	page    bool   // whether the page leaves
	charged string // empty: ten cents where the outcome is paid
}

// weather is the policy table.
var weather = slices.Concat(
	weatherOfStatuses, weatherOfRequests, weatherOfPayments, weatherOfUpstreams, weatherOfWays, weatherOfClients, weatherOfStreams,
	weatherOfRoutes, weatherOfHandlers, weatherOfCaches, weatherOfEarlyData,
)

// fromUpstream is a site whose articles come from the row's upstream as they arrive.
const fromUpstream = "paywall /articles/* 0.10\nreverse_proxy $UPSTREAM {\nflush_interval -1\n}"

// fromFiles is a site whose articles are files.
const fromFiles = "paywall /articles/* 0.10\nfile_server"

// What is charged, and when, is the same over every protocol.
func TestThePolicyTableHoldsOverEveryProtocol(t *testing.T) { fly(t, weather) }

// fly proves every row over every protocol that has it.
func fly(t *testing.T, rows []weatherRow) {
	station := startWeather(t, rows)
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for _, p := range protocols {
				if row.only == "" || row.only == p.name {
					t.Run(p.name, func(t *testing.T) { station.fly(t, i, p) })
				}
			}
		})
	}
}

// fly asks what a row asks over one protocol, with a wallet of its own, and
// proves from the ledger what it has cost.
func (s *station) fly(t *testing.T, index int, p protocol) {
	f := s.takeOff(t, index, p)
	for _, v := range f.row.visits {
		f.pay(v)
	}
	if f.row.story != nil {
		f.row.story(f)
	}
	f.land()
}

// pay asks for a visit and compares what becomes of it.
func (f *flight) pay(v visit) *checked {
	f.Helper()
	who := f.visitor
	if v.by != nil {
		who = v.by(f)
	}
	for i := 0; i < len(v.header); i += 2 {
		who = who.with(v.header[i], v.header[i+1])
	}
	if v.method == "" {
		v.method = http.MethodGet
	}
	if v.path == "" {
		v.path = "/articles/1"
	}
	answer := who.do(v.method, v.path, "", "").wants(v.status)
	f.settled()
	if got := f.lastOutcome(); got != v.outcome {
		f.Errorf("%s %s has the outcome %q, want %q", v.method, v.path, got, v.outcome)
	}
	if got := strings.Contains(answer.body, "SECRET"); got != v.page {
		f.Errorf("%s %s: the page leaves: %t, want %t\n%.300s", v.method, v.path, got, v.page, answer.body)
	}
	f.wantsTold(answer, v)
	return answer
}

// wantsTold compares what the header says of the charge, and to caches.
func (f *flight) wantsTold(answer *checked, v visit) {
	f.Helper()
	charged := v.charged
	if charged == "" && v.outcome == "paid" {
		charged = "0.10 USD"
	}
	answer.wantsHeader("Paywall-Charged", charged)
	cache, paid := answer.Header.Get("Cache-Control"), v.outcome == "paid" || v.outcome == "visit" || v.outcome == "granted"
	switch {
	case v.outcome == "challenged" && cache != "no-store":
		f.Errorf("a challenge has Cache-Control %q", cache)
	case paid && v.page && !strings.HasPrefix(cache, "private"):
		f.Errorf("a page that is paid for has Cache-Control %q", cache)
	case paid && v.page && (!varies(answer.Header, "Authorization") || !varies(answer.Header, "Cookie")):
		f.Errorf("a page that is paid for has Vary %q", answer.Header["Vary"])
	}
}

// land waits until every request is settled, and proves that the ledger has the
// row's entries and no other (invariant 3), that the wallet's balance is what
// they add up to, with nothing held (invariant 7), and that the books balance
// (invariant 1).
func (f *flight) land() {
	f.Helper()
	f.settled()
	list, _, err := f.ledger.Entries(f.ctx, f.holder, "", wallet.MaxPage)
	if err != nil {
		f.Fatal(err)
	}
	slices.Reverse(list)
	var kinds []string
	balance := wallet.Amount(0)
	for _, e := range list {
		kinds = append(kinds, e.Kind.String())
		if balance += e.Amount; e.Balance != balance || balance < 0 {
			f.Errorf("invariants 2, 7: after %+v the wallet should have %s", e, balance)
		}
	}
	if want := strings.TrimSpace("create voucher " + f.row.ledger); strings.Join(kinds, " ") != want {
		f.Errorf("invariants 3, 4: the ledger has %q, want %q", strings.Join(kinds, " "), want)
	}
	left := f.row.left
	if left == "" {
		left = "1.00"
	}
	held, err := f.ledger.Wallet(f.ctx, f.holder)
	if err != nil || held.Available != balance || held.Available.String() != left || held.Held != 0 {
		f.Errorf("invariants 1, 7: the wallet has %s and holds %s (%v), want %s; its entries add up to %s", held.Available, held.Held, err, left, balance)
	}
	if audit, err := f.ledger.Verify(f.ctx); err != nil || !audit.OK() {
		f.Errorf("invariant 1: %+v, %v", audit, err)
	}
}
