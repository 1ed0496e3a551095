package caddymodule

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// The rows about what is asked, and how.

// preflightFields are what a browser asks with before a request of another
// origin.
var preflightFields = []string{
	"Origin", "https://other.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization",
}

// post sends a form to one of the wallet's addresses.
func (f *flight) post(path string, fields url.Values, status int) {
	f.Helper()
	f.submit(path, fields).wants(status)
	f.settled()
}

var weatherOfRequests = []weatherRow{
	{
		name: "HEAD reads and does not pay", site: fromFiles,
		visits: []visit{
			{method: "HEAD", status: 402, outcome: "challenged"},
			{method: "HEAD", by: stranger, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
			{method: "HEAD", status: 200, outcome: "granted"},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a preflight passes and gets no page",
		serve: func(f *flight, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				f.Error("the upstream sees the token")
			}
			w.Header().Set("Access-Control-Allow-Origin", "*")
			servePage(f, w, r)
		},
		visits: []visit{
			{by: stranger, method: "OPTIONS", header: preflightFields, status: 200},
			{method: "OPTIONS", header: preflightFields, status: 200},
		},
	},
	{
		name: "OPTIONS that is no preflight is a request like others", serve: servePage,
		visits: []visit{
			{by: stranger, method: "OPTIONS", status: 402, outcome: "challenged"},
			{method: "OPTIONS", status: 200, outcome: "paid", page: true},
		},
		ledger: "hold capture", left: "0.90",
	},
	{
		name: "a prefetch or prerender reads and does not pay", serve: servePage,
		visits: []visit{
			{header: []string{"Sec-Purpose", "prefetch"}, status: 402, outcome: "challenged"},
			{header: []string{"Sec-Purpose", "prefetch;prerender"}, status: 402, outcome: "challenged"},
			{header: []string{"Sec-Purpose", "prefetch;anonymous-client-ip"}, status: 402, outcome: "challenged"},
			{header: []string{"Purpose", "prefetch"}, status: 402, outcome: "challenged"},
			{header: []string{"X-Moz", "prefetch"}, status: 402, outcome: "challenged"},
			{method: "POST", header: []string{"Sec-Purpose", "prefetch"}, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
			{header: []string{"Sec-Purpose", "prefetch;prerender"}, status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a request that a proxy calls early pays nothing", serve: servePage,
		visits: []visit{
			{header: []string{"Early-Data", "1"}, status: 425, outcome: "refused"},
			{method: "POST", header: []string{"Early-Data", "1"}, status: 425, outcome: "refused"},
			{by: stranger, header: []string{"Early-Data", "1"}, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
			{header: []string{"Early-Data", "1"}, status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a query does not make another page", serve: servePage,
		visits: []visit{
			{path: "/articles/1?utm=a", status: 200, outcome: "paid", page: true},
			{path: "/articles/1?utm=b", status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "two tabs at once are one charge",
		serve: func(f *flight, w http.ResponseWriter, r *http.Request) {
			f.arrived <- struct{}{}
			f.turn() // both have been asked for before either is answered
			servePage(f, w, r)
		},
		story: func(f *flight) {
			told := make(chan string)
			for range 2 {
				go func() { told <- f.charged("/articles/1") }()
			}
			f.await("one tab asks", f.arrived)
			f.await("the other asks", f.arrived)
			close(f.proceed)
			if both := <-told + <-told; both != "0.10 USD" {
				f.Errorf("the two are told of %q", both)
			}
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "the right to POST is set aside before the upstream acts", serve: serveHeld,
		visits: []visit{
			{by: stranger, method: "POST", status: 402, outcome: "challenged"},
			{method: "POST", status: 200, outcome: "paid", page: true},
			{method: "PUT", path: "/articles/2", status: 200, outcome: "paid", page: true},
			{method: "DELETE", path: "/articles/3", status: 200, outcome: "paid", page: true},
		},
		ledger: "hold capture hold capture hold capture", left: "0.70",
	},
	{
		name: "a POST of what is paid for holds nothing", serve: servePage,
		visits: []visit{
			{status: 200, outcome: "paid", page: true},
			{method: "POST", status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a POST whose sender waits for 100 first", serve: func(f *flight, w http.ResponseWriter, r *http.Request) {
			if text, err := io.ReadAll(r.Body); string(text) != "a letter" {
				f.Errorf("the upstream gets %q, %v", text, err)
			}
			serveHeld(f, w, r)
		},
		story: func(f *flight) {
			f.with("Expect", "100-continue").do(http.MethodPost, "/articles/1", "text/plain", "a letter").wants(http.StatusOK).says(secretBody)
		},
		ledger: "hold capture", left: "0.90",
	},
	{
		name: "a POST that is too large is released", serve: servePage,
		site: "paywall /articles/* 0.10\nroute {\nrequest_body {\nmax_size 10B\n}\nreverse_proxy $UPSTREAM\n}",
		story: func(f *flight) {
			f.do(http.MethodPost, "/articles/1", "text/plain", strings.Repeat("x", 100)).wants(http.StatusRequestEntityTooLarge)
		},
		ledger: "hold release",
	},
	{
		name: "a POST that is not answered with a page is released", serve: serveStatus,
		visits: each("POST", "unpaid", false, 204, 303, 304, 404, 422, 500, 503),
		ledger: strings.TrimSpace(strings.Repeat("hold release ", 7)),
	},
}

// charged is what a GET is told it has cost; an error's text where it fails.
func (f *flight) charged(path string) string {
	resp, err := f.begin(f.ctx, http.MethodGet, path, nil)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Header.Get("Paywall-Charged")
}

// serveHeld answers with the page if its price is held already.
func serveHeld(f *flight, w http.ResponseWriter, r *http.Request) {
	if held, err := f.ledger.Wallet(r.Context(), f.holder); err != nil || held.Held.String() != "0.10" {
		f.Errorf("while the upstream acts the wallet holds %s (%v)", held.Held, err)
	}
	servePage(f, w, r)
}
