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
			// Some clients take a 101 for a broken answer, others wait for another.
			if resp, err := f.begin(f.ctx, http.MethodGet, "/articles/2?way=101+and+Hijack", nil); err == nil {
				resp.Body.Close()
			}
		},
		ledger: "charge refund",
	}
}
