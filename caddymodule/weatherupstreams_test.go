package caddymodule

import (
	"io"
	"net/http"
	"strings"
)

// The rows about upstreams that fail.

// dieBefore ends the connection before a header.
func dieBefore(*flight, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// dieWithin ends the connection in the middle of the page, when the client has
// the beginning: over HTTP/3 the end would overtake it.
func dieWithin(f *flight, w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/1") {
		w.Header().Set("Content-Length", "1000") // else it is sent in chunks
	}
	_, _ = io.WriteString(w, secretBody)
	_ = http.NewResponseController(w).Flush()
	f.turn()
	panic(http.ErrAbortHandler)
}

// breaksOff reads a page that ends too early and returns what is told of the
// charge.
func (f *flight) breaksOff(method, path string) (charged string) {
	f.Helper()
	resp, err := f.begin(f.ctx, method, path, nil)
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	beginning := make([]byte, len(secretBody))
	if _, err := io.ReadFull(resp.Body, beginning); err != nil || string(beginning) != secretBody {
		f.Errorf("the client gets %q, %v", beginning, err)
	}
	f.proceed <- struct{}{}
	if rest, err := io.ReadAll(resp.Body); err == nil || len(rest) > 0 {
		f.Errorf("the page goes on with %q, %v", rest, err)
	}
	f.settled()
	return resp.Header.Get("Paywall-Charged")
}

// dieUnseen does not wait for anybody to see the beginning.
func dieUnseen(_ *flight, w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, secretBody)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// serveSwitch answers as if the client had asked for a web socket.
func serveSwitch(_ *flight, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "websocket")
	w.WriteHeader(http.StatusSwitchingProtocols)
	_ = hijack(w)
}

// fails asks for what cannot be read to its end.
func (f *flight) fails(method, path string, pairs ...string) {
	f.Helper()
	resp, err := f.begin(f.ctx, method, path, nil, pairs...)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if err == nil {
		f.Errorf("%s %s can be read to its end", method, path)
	}
	f.settled()
}

var weatherOfUpstreams = []weatherRow{
	{
		name: "an upstream that is down", site: "paywall /articles/* 0.10\nreverse_proxy 127.0.0.1:1",
		visits: []visit{{status: 502, outcome: "unpaid"}, {method: "POST", status: 502, outcome: "unpaid"}},
		ledger: "hold release",
	},
	{
		name: "an upstream that dies before its header", serve: dieBefore,
		visits: []visit{{status: 502, outcome: "unpaid"}, {method: "POST", status: 502, outcome: "unpaid"}},
		ledger: "hold release",
	},
	{
		name: "an upstream that dies in the middle of the page is refunded", serve: dieWithin,
		story: func(f *flight) {
			for _, path := range []string{"/articles/1", "/articles/2", "/articles/2"} {
				if told := f.breaksOff("GET", path); told != "0.10 USD" {
					f.Errorf("%s: the client is told of %q", path, told)
				}
				if got := f.lastOutcome(); got != "refunded" {
					f.Errorf("%s: the outcome is %q", path, got)
				}
			}
		},
		ledger: "charge refund charge refund charge refund",
	},
	{
		name: "an upstream that dies in the middle of the answer to a POST has acted", serve: dieWithin,
		story: func(f *flight) {
			f.breaksOff("POST", "/articles/1")
			f.breaksOff("POST", "/articles/2")
		},
		ledger: "hold capture hold capture", left: "0.80",
	},
	{
		name: "an upstream that dies in the middle of a visit's page gives it back", site: withVisits, serve: dieWithin,
		story: func(f *flight) {
			beforehand(f, "/articles/1", "bundle")
			f.breaksOff("GET", "/articles/1")
			f.breaksOff("GET", "/articles/2")
			if held, err := f.ledger.Wallet(f.ctx, f.holder); err != nil || len(held.Passes) != 1 || held.Passes[0].Visits != 3 {
				f.Errorf("the passes are %+v, %v", held.Passes, err)
			}
		},
		ledger: "bundle visit refund visit refund", left: "0.70",
	},
	{
		name: "an upstream that dies before a compressed page has left is refunded",
		site: "paywall /articles/* 0.10\nencode gzip\nreverse_proxy $UPSTREAM", serve: dieUnseen,
		story:  func(f *flight) { f.fails("GET", "/articles/1", "Accept-Encoding", "gzip") },
		ledger: "charge refund",
	},
	{
		name: "an upstream that dies in the middle of an answer that a route copies is refunded", serve: dieWithin,
		site: "paywall /articles/* 0.10\nreverse_proxy $UPSTREAM {\nflush_interval -1\n" +
			"@good status 200\nhandle_response @good {\ncopy_response\n}\n}",
		story:  func(f *flight) { f.breaksOff("GET", "/articles/1") },
		ledger: "charge refund",
	},
	{
		name: "a stream of events that breaks off has been delivered",
		serve: func(f *flight, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			dieWithin(f, w, r)
		},
		story:  func(f *flight) { f.breaksOff("GET", "/articles/2") },
		ledger: "charge", left: "0.90",
	},
	{
		name: "an upstream that is too slow", serve: serveNever,
		site:   "paywall /articles/* 0.10\nreverse_proxy $UPSTREAM {\ntransport http {\nresponse_header_timeout 50ms\n}\n}",
		visits: []visit{{status: 504, outcome: "unpaid"}},
	},
	{
		name: "an upstream that is tried after another", serve: servePage,
		site: "paywall /articles/* 0.10\nreverse_proxy 127.0.0.1:1 $UPSTREAM {\nlb_policy first\nlb_retries 2\nfail_duration 1m\n}",
		visits: []visit{
			{status: 200, outcome: "paid", page: true},
			{method: "POST", path: "/articles/2", status: 200, outcome: "paid", page: true},
		},
		ledger: "charge hold capture", left: "0.80",
	},
	{
		name: "an upstream that changes the protocol unasked delivers nothing", serve: serveSwitch,
		visits: []visit{{status: 200, outcome: "unpaid"}},
	},
	{
		name: "what was paid for before stays so when an upstream dies in the middle of it",
		serve: func(f *flight, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Die") != "" {
				dieWithin(f, w, r)
			}
			servePage(f, w, r)
		},
		story: func(f *flight) {
			f.pay(visit{status: 200, outcome: "paid", page: true})
			f.visitor = f.with("Die", "yes")
			if told := f.breaksOff("GET", "/articles/1"); told != "" {
				f.Errorf("the client is told of %q", told)
			}
		},
		ledger: "charge", left: "0.90",
	},
}
