package caddymodule

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// The rows about clients that leave.

// serveNever waits for a client that leaves.
func serveNever(f *flight, _ http.ResponseWriter, r *http.Request) {
	f.arrived <- struct{}{}
	f.untilGone(r)
}

// serveBeginning sends the beginning of the page and waits for a client that
// leaves.
func serveBeginning(f *flight, w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, secretBody)
	_ = http.NewResponseController(w).Flush()
	f.untilGone(r)
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
		// Between its goodbye to TLS and closing the connection, a client may still
		// read what the server answers to the goodbye.
		if err := <-failed; err != nil && !errors.Is(err, context.Canceled) {
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

// serveLate does not see that the client has gone until the page is made.
func serveLate(f *flight, w http.ResponseWriter, r *http.Request) {
	f.arrived <- struct{}{}
	f.untilGone(r)
	servePage(f, w, r)
}

var weatherOfClients = []weatherRow{
	{name: "a client that has left when the page is made", site: fromHandler, serve: serveLate, story: leaveBefore("GET")},
	{name: "a client that leaves before the header", serve: serveNever, story: leaveBefore("GET")},
	{name: "a client that leaves before the header of its POST", serve: serveNever, story: leaveBefore("POST"), ledger: "hold release"},
	{name: "a client that leaves in the middle of the page", serve: serveBeginning, story: leaveAfter("GET"), ledger: "charge", left: "0.90"},
	{
		name: "a client that leaves in the middle of a file", site: fromFiles,
		story: func(f *flight) {
			ctx, leave := context.WithCancel(f.ctx)
			defer leave()
			resp, err := f.begin(ctx, http.MethodGet, "/articles/endless.txt", nil)
			if err != nil {
				f.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.ReadFull(resp.Body, make([]byte, len(secretBody))); err != nil {
				f.Error(err)
			}
			leave()
			f.settled()
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a client that leaves in the middle of its own POST", serve: serveNever,
		story: func(f *flight) {
			ctx, leave := context.WithCancel(f.ctx)
			defer leave()
			out, in := io.Pipe()
			defer in.Close()
			failed := make(chan error, 1)
			go func() {
				resp, err := f.begin(ctx, http.MethodPost, "/articles/1", out)
				if err == nil {
					resp.Body.Close()
				}
				failed <- err
			}()
			if _, err := io.WriteString(in, "the beginning"); err != nil {
				f.Fatal(err)
			}
			f.await("the upstream is asked", f.arrived)
			leave()
			_ = in.CloseWithError(context.Canceled) // it never fails; a transport waits for the body
			if err := <-failed; err == nil {
				f.Error("the client that leaves gets an answer")
			}
			f.settled()
		},
		ledger: "hold release",
	},
	{
		name: "a client that leaves in the middle of the answer to its POST", serve: serveBeginning, story: leaveAfter("POST"),
		ledger: "hold capture", left: "0.90",
	},
}
