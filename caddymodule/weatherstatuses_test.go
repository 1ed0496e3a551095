package caddymodule

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The rows about the status of the answer.

// serveStatus answers /articles/<status>, with the page where that is a 2xx.
func serveStatus(f *flight, w http.ResponseWriter, r *http.Request) {
	status, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/articles/"))
	if err != nil {
		f.Error(err)
	}
	w.Header().Set("Location", "/elsewhere")
	w.Header().Set("Cache-Control", "public, max-age=600")
	w.WriteHeader(status)
	if status < 300 {
		_, _ = io.WriteString(w, secretBody) // a 204 or 205 takes none
	}
}

// servePage answers with the page.
func servePage(_ *flight, w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, secretBody)
}

// each visits /articles/<status> for every status.
func each(method, outcome string, page bool, statuses ...int) (visits []visit) {
	for _, status := range statuses {
		visits = append(visits, visit{
			method: method, path: fmt.Sprint("/articles/", status), status: status, outcome: outcome, page: page,
		})
	}
	return visits
}

var weatherOfStatuses = []weatherRow{
	{
		name: "200 is paid for once and read again", serve: servePage,
		visits: []visit{
			{by: stranger, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
			{status: 200, outcome: "granted", page: true},
			{by: stranger, status: 402, outcome: "challenged"},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "other 2xx are paid for", serve: serveStatus,
		visits: append(
			each("GET", "paid", true, 201, 202, 203, 206), each("GET", "granted", true, 201, 202, 203, 206)...,
		),
		ledger: "charge charge charge charge", left: "0.60",
	},
	{name: "204 and 205 carry nothing", serve: serveStatus, visits: each("GET", "unpaid", false, 204, 205, 204)},
	{name: "3xx", serve: serveStatus, visits: each("GET", "unpaid", false, 300, 301, 302, 303, 307, 308)},
	{name: "304 without a question", serve: serveStatus, visits: each("GET", "unpaid", false, 304)},
	{
		name: "304 after If-None-Match", site: fromFiles,
		story: func(f *flight) {
			tag := f.pay(visit{status: 200, outcome: "paid", page: true}).Header.Get("Etag")
			asked := []string{"If-None-Match", tag}
			f.pay(visit{header: asked, status: 304, outcome: "granted"})
			elsewhere := func(f *flight) *visitor { return f.owner("1.00") }
			f.pay(visit{by: elsewhere, header: asked, status: 304, outcome: "unpaid"})
			f.pay(visit{by: stranger, header: asked, status: 402, outcome: "challenged"})
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "4xx", serve: serveStatus,
		visits: each("GET", "unpaid", false, 400, 401, 402, 403, 404, 405, 410, 412, 418, 425, 429, 451),
	},
	{name: "5xx", serve: serveStatus, visits: each("GET", "unpaid", false, 500, 501, 502, 503, 504)},
	{
		name: "404 of a file", site: fromFiles,
		visits: []visit{{path: "/articles/none", status: 404, outcome: "unpaid"}},
	},
	{
		name: "a download resumed in three pieces is one charge", site: fromFiles,
		story: func(f *flight) {
			whole := ""
			for i, piece := range []string{"bytes=0-499", "bytes=500-999", "bytes=1000-"} {
				outcome := "paid"
				if i > 0 {
					outcome = "granted"
				}
				whole += f.pay(visit{header: []string{"Range", piece}, status: 206, outcome: outcome, page: i == 0}).body
			}
			if whole != f.pay(visit{status: 200, outcome: "granted", page: true}).body {
				f.Error("the pieces are not the page")
			}
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "many ranges at once are one charge", site: fromFiles,
		visits: []visit{
			{header: []string{"Range", "bytes=0-9,100-109,50-59"}, status: 206, outcome: "paid"},
			{header: []string{"Range", "bytes=0-99,200-299"}, status: 206, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "416", site: fromFiles,
		visits: []visit{{header: []string{"Range", "bytes=999999-"}, status: 416, outcome: "unpaid"}},
	},
}
