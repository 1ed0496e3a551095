package caddymodule

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// The rows about upstreams that fail, and about clients that leave.

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
	<-f.proceed
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

// serveNever waits for a client that leaves.
func serveNever(f *flight, _ http.ResponseWriter, r *http.Request) {
	f.arrived <- struct{}{}
	<-r.Context().Done()
	close(f.gone)
}

// serveBeginning sends the beginning of the page and waits for a client that
// leaves.
func serveBeginning(f *flight, w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, secretBody)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
	close(f.gone)
}

// leaveBefore asks for a page and leaves when the upstream has heard of it.
func leaveBefore(method string) func(*flight) {
	return func(f *flight) {
		ctx, leave := context.WithCancel(f.ctx)
		defer leave()
		failed := make(chan error, 1)
		go func() {
			resp, err := f.begin(ctx, method, "/articles/1", nil)
			if err == nil {
				resp.Body.Close()
			}
			failed <- err
		}()
		f.await("the upstream is asked", f.arrived)
		leave()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			f.Errorf("the client that leaves gets %v", err)
		}
		f.await("the upstream sees that the client has gone", f.gone)
	}
}

// leaveAfter leaves in the middle of the page.
func leaveAfter(method string) func(*flight) {
	return func(f *flight) {
		ctx, leave := context.WithCancel(f.ctx)
		defer leave()
		resp, err := f.begin(ctx, method, "/articles/1", nil)
		if err != nil {
			f.Fatal(err)
		}
		defer resp.Body.Close()
		beginning := make([]byte, len(secretBody))
		if _, err := io.ReadFull(resp.Body, beginning); err != nil || resp.Header.Get("Paywall-Charged") != "0.10 USD" {
			f.Errorf("the client gets %q, %v, %v", beginning, resp.Header, err)
		}
		leave()
		f.await("the upstream sees that the client has gone", f.gone)
		f.settled()
		if got := f.lastOutcome(); got != "paid" {
			f.Errorf("the outcome is %q", got)
		}
	}
}

var weatherOfClients = []weatherRow{
	{name: "a client that leaves before the header", serve: serveNever, story: leaveBefore("GET")},
	{name: "a client that leaves before the header of its POST", serve: serveNever, story: leaveBefore("POST"), ledger: "hold release"},
	{name: "a client that leaves in the middle of the page", serve: serveBeginning, story: leaveAfter("GET"), ledger: "charge", left: "0.90"},
	{
		name: "a client that leaves in the middle of the answer to its POST", serve: serveBeginning, story: leaveAfter("POST"),
		ledger: "hold capture", left: "0.90",
	},
}
