package caddymodule

import (
	"compress/gzip"
	"io"
	"strings"
)

// The rows about handlers that change an answer between the upstream and the
// paywall.

// weatherFiles are the files that these rows serve beside the articles.
var weatherFiles = map[string]string{
	"articles/template.html": `<p>SECRET of {{.Req.Method}} {{httpInclude "/free.html"}}`,
	"articles/pirate.html":   `<p>{{httpInclude "/articles/1"}}`,
	"pirate.html":            `<p>{{httpInclude "/articles/1"}}`,
	"free.html":              "<p>for nothing",
	"articles/long.txt":      "SECRET " + strings.Repeat("ink ", 4000),
}

const templated = "paywall /articles/* 0.10\ntemplates {\nmime text/html text/plain\n}\nfile_server"

var weatherOfHandlers = []weatherRow{
	{
		name: "handle_response makes a page of an error", site: "paywall /articles/* 0.10\nreverse_proxy $UPSTREAM {\n" +
			"@missing status 404\nhandle_response @missing {\nrespond \"SECRET elsewhere\" 200\n}\n}",
		serve:  serveStatus,
		visits: []visit{{path: "/articles/404", status: 200, outcome: "paid", page: true}},
		ledger: "charge", left: "0.90",
	},
	{
		name: "handle_response makes an error of a page", site: "paywall /articles/* 0.10\nreverse_proxy $UPSTREAM {\n" +
			"@good status 200\nhandle_response @good {\nrespond \"closed\" 503\n}\n}",
		serve:  servePage,
		visits: []visit{{status: 503, outcome: "unpaid"}, {method: "POST", status: 503, outcome: "unpaid"}},
		ledger: "hold release",
	},
	{
		name: "copy_response", site: "paywall /articles/* 0.10\nreverse_proxy $UPSTREAM {\n" +
			"@any status 2xx 4xx\nhandle_response @any {\nheader Seen yes\ncopy_response\n}\n}",
		serve: serveStatus,
		visits: []visit{
			{path: "/articles/200", status: 200, outcome: "paid", page: true},
			{path: "/articles/404", status: 404, outcome: "unpaid"},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "intercept makes a page of an error", site: "paywall /articles/* 0.10\nintercept {\n" +
			"@missing status 404\nhandle_response @missing {\nheader -Content-Length\nrespond \"SECRET elsewhere\" 200\n}\n}\nreverse_proxy $UPSTREAM",
		serve: serveStatus,
		visits: []visit{
			{by: stranger, path: "/articles/404", status: 402, outcome: "challenged"},
			{path: "/articles/404", status: 200, outcome: "paid", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "intercept makes an error of a page", site: "paywall /articles/* 0.10\nintercept {\n" +
			"@good status 200\nhandle_response @good {\nheader -Content-Length\nrespond \"closed\" 503\n}\n}\nreverse_proxy $UPSTREAM",
		serve:  servePage,
		visits: []visit{{status: 503, outcome: "unpaid"}, {method: "POST", status: 503, outcome: "unpaid"}},
		ledger: "hold release",
	},
	{
		name: "intercept sends a file that the upstream names", site: "paywall /articles/* 0.10\nintercept {\n" +
			"@elsewhere header X-Accel-Redirect *\nhandle_response @elsewhere {\nrewrite * {resp.header.X-Accel-Redirect}\n" +
			"paywall 0.50 {\nrule fifty\n}\nfile_server\n}\n}\nreverse_proxy $UPSTREAM",
		serve: serveElsewhere,
		visits: []visit{
			{by: stranger, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a template", site: templated,
		visits: []visit{
			{by: stranger, path: "/articles/template.html", status: 402, outcome: "challenged"},
			{path: "/articles/template.html", status: 200, outcome: "paid", page: true},
			{path: "/articles/template.html", status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a template that includes what has a price", site: templated,
		visits: []visit{
			{by: stranger, path: "/pirate.html", status: 500},
			{path: "/pirate.html", status: 500},
			{path: "/articles/pirate.html", status: 500, outcome: "unpaid"},
		},
	},
	{
		name: "a compressed page", site: "paywall /articles/* 0.10\nencode gzip\nfile_server",
		story: func(f *flight) {
			f.pay(visit{by: stranger, path: "/articles/long.txt", header: []string{"Accept-Encoding", "gzip"}, status: 402, outcome: "challenged"})
			for _, outcome := range []string{"paid", "granted"} {
				page := f.pay(visit{path: "/articles/long.txt", header: []string{"Accept-Encoding", "gzip"}, status: 200, outcome: outcome}).
					wantsHeader("Content-Encoding", "gzip").wantsHeader("Cache-Control", "private")
				unzipped, err := gzip.NewReader(strings.NewReader(page.body))
				if err != nil {
					f.Fatal(err)
				}
				if text, err := io.ReadAll(unzipped); string(text) != weatherFiles["articles/long.txt"] {
					f.Errorf("the page is %d bytes, %v", len(text), err)
				}
				if !varies(page.Header, "Accept-Encoding") || !varies(page.Header, "Authorization") || !varies(page.Header, "Cookie") {
					f.Errorf("Vary is %q", page.Header["Vary"])
				}
			}
			f.pay(visit{path: "/articles/long.txt", status: 200, outcome: "granted", page: true})
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a compressed stream is not held back", site: "paywall /articles/* 0.10\nencode gzip\nreverse_proxy $UPSTREAM",
		serve: serveEvents, story: readEvents, ledger: "charge", left: "0.90",
	},
}
