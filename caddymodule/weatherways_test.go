package caddymodule

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The rows about the ways on which a handler of this process sends its answer.

// ways are the deliveries that every protocol has, in order.
func ways() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(deliveries)), func(name string) bool {
		return strings.Contains(name, "Hijack") || strings.Contains(name, "unwrapped")
	})
}

// entriesOfWays is what the ledger has after all of them.
func entriesOfWays() string {
	var entries []string
	for _, name := range ways() {
		if paysFor(deliveries[name].asked) {
			entries = append(entries, "charge")
		}
		if name == "a panic after the header" {
			entries = append(entries, "refund")
		}
	}
	return strings.Join(entries, " ")
}

// askEveryWay has each page delivered on another way.
func askEveryWay(f *flight) {
	for i, name := range ways() {
		path, way := fmt.Sprintf("/articles/%d?way=%s", i, url.QueryEscape(name)), deliveries[name]
		if way.status == 0 {
			f.fails(http.MethodGet, path)
			continue
		}
		resp, err := f.begin(f.ctx, http.MethodGet, path, nil)
		if err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != way.status || string(text) != way.body {
			f.Errorf("%s: the answer is %s %q, %v", name, resp.Status, text, err)
		}
		f.settled()
	}
}

// fromHandler is a site whose articles come from a handler of this process.
const fromHandler = "paywall /articles/* 0.10\n$HANDLER"

var weatherOfWays = []weatherRow{
	{name: "every way of delivery", site: fromHandler, story: askEveryWay, ledger: entriesOfWays(), left: "0.10"},
	{
		name: "trailers come with a page and not with a refusal", serve: serveTrailers,
		site:  "paywall /articles/* 1.00 {\nrule unit\n}\n$HANDLER",
		story: spendMeanwhile, ledger: "charge", left: "0.00",
	},
	withoutConnection("HTTP2"),
	withoutConnection("HTTP3"),
}

// withoutConnection is the row of handlers that want the connection itself,
// which these protocols do not have.
func withoutConnection(protocol string) weatherRow {
	return weatherRow{
		name: "a connection that cannot be handed over, over " + protocol, only: protocol, site: fromHandler,
		visits: []visit{{path: "/articles/1?way=Hijack+bare", status: 500, outcome: "unpaid"}},
		story: func(f *flight) {
			// Some clients take a 101 for a broken answer, others wait for another. One that
			// closes it before the handler has failed has left, and nobody is refunded.
			if resp, err := f.begin(f.ctx, http.MethodGet, "/articles/2?way=101+and+Hijack", nil); err == nil {
				f.settled()
				resp.Body.Close()
			}
		},
		ledger: "charge refund",
	}
}

// serveTrailers sends header fields after the page, announced and not. Of the
// first article it does so when the client says.
func serveTrailers(f *flight, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/articles/1" {
		f.arrived <- struct{}{}
		f.turn()
	}
	w.Header().Set("Trailer", "Announced")
	_, _ = io.WriteString(w, secretBody)
	w.Header().Set("Announced", "of the page")
	w.Header().Set(http.TrailerPrefix+"Unannounced", "of the page")
}

// spendMeanwhile asks for two pages at once with the money for one: the first is
// refused at its commit point (invariant 2).
func spendMeanwhile(f *flight) {
	type result struct {
		*http.Response
		text string
		err  error
	}
	done := make(chan result, 1)
	read := func(path string) (r result) {
		if r.Response, r.err = f.begin(f.ctx, http.MethodGet, path, nil); r.err != nil {
			return r
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		r.text, r.err = string(text), err
		return r
	}
	go func() { done <- read("/articles/1") }()
	f.await("the upstream makes the first page", f.arrived)
	paid := read("/articles/2")
	if paid.err != nil || paid.text != secretBody || paid.Trailer.Get("Announced") == "" || paid.Trailer.Get("Unannounced") == "" {
		f.Errorf("the second page is %q with the trailer %v, %v", paid.text, paid.Trailer, paid.err)
	}
	close(f.proceed)
	refused := <-done
	if refused.err != nil || refused.StatusCode != http.StatusPaymentRequired || strings.Contains(refused.text, "SECRET") {
		f.Fatalf("the first page is answered %v %q, %v", refused.Response, refused.text, refused.err)
	}
	if len(refused.Trailer) > 0 || refused.Header.Get("Trailer") != "" || refused.Header.Get("Paywall-Charged") != "" {
		f.Errorf("the refusal has the header %v and the trailer %v", refused.Header, refused.Trailer)
	}
}
