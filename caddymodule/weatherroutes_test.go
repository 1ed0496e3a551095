package caddymodule

import (
	"io"
	"net/http"
)

// The rows about the routes of a site: what its directives do to a request
// before and after it has a price.

var weatherOfRoutes = []weatherRow{
	{
		name: "prices that overlap", site: "paywall /articles/* 0.10\npaywall /articles/1 0.05\npaywall 0.30\nfile_server",
		visits: []visit{
			{status: 200, outcome: "paid", page: true, charged: "0.05 USD"},
			{path: "/articles/2", status: 200, outcome: "paid", page: true},
			{path: "/", status: 200, outcome: "paid", page: true, charged: "0.30 USD"},
			{status: 200, outcome: "granted", page: true},
		},
		ledger: "charge charge charge", left: "0.55",
	},
	{
		name: "a price inside a price", site: "route {\npaywall /articles/* 0.10\npaywall 0.30\nhandle {\npaywall 0.50 {\nrule fifty\n}\nfile_server\n}\n}",
		visits: []visit{
			{by: stranger, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a rewrite to what has a price", site: "rewrite /read/* /articles/{http.request.uri.path.file}\n" + fromFiles,
		visits: []visit{
			{by: stranger, path: "/read/1", status: 402, outcome: "challenged"},
			{path: "/read/1", status: 200, outcome: "paid", page: true},
			{status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a rewrite behind the price", site: "route {\npaywall /articles/* 0.10\nrewrite /articles/1 /articles/2\npaywall /articles/2 0.50 {\nrule fifty\n}\nfile_server\n}",
		visits: []visit{
			{by: stranger, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a file found instead of the one asked for", site: "try_files {path} /articles/1\n" + fromFiles,
		visits: []visit{
			{by: stranger, path: "/none", status: 402, outcome: "challenged"},
			{path: "/none", status: 200, outcome: "paid", page: true},
			{path: "/articles/none", status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a named route that is invoked twice", routes: "&(priced) {\npaywall 0.10 {\nrule named\n}\n}",
		site: "route {\ninvoke priced\ninvoke priced\nfile_server\n}",
		visits: []visit{
			{by: stranger, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "what a matcher exempts is free", site: "@priced not path /health /metrics\npaywall @priced 0.10\nrespond /health fine\nmetrics /metrics\nfile_server",
		visits: []visit{
			{by: stranger, path: "/health", status: 200},
			{by: stranger, path: "/metrics", status: 200},
			{by: stranger, status: 402, outcome: "challenged"},
			{path: "/health", status: 200},
			{status: 200, outcome: "paid", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a connection that a route ends", site: "paywall /articles/* 0.10\nabort /articles/*",
		story: func(f *flight) {
			f.fails(http.MethodGet, "/articles/1")
			f.fails(http.MethodPost, "/articles/1")
		},
		ledger: "hold release",
	},
	{
		name: "an error page is not what was paid for",
		site: fromFiles + "\nhandle_errors {\nrespond \"no such page\" 404\n}",
		visits: []visit{
			{by: stranger, status: 402, outcome: "challenged"},
			{path: "/articles/none", status: 404, outcome: "unpaid"},
			{status: 200, outcome: "paid", page: true},
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "an error page with a price of its own is shown for nothing",
		site: fromFiles + "\nhandle_errors {\npaywall 0.50 {\nrule fifty\n}\nrewrite * /index.html\nfile_server\n}",
		visits: []visit{
			{by: stranger, path: "/articles/none", status: 402, outcome: "challenged"},
			{path: "/articles/none", status: 404, outcome: "unpaid", page: true},
		},
	},
	{
		name: "an error page of what has no price has its own", site: "paywall\nfile_server\nhandle_errors {\npaywall 0.50 {\nrule fifty\n}\nrewrite * /articles/1\nfile_server\n}",
		visits: []visit{{by: stranger, path: "/none", status: 402}},
	},
	{
		name: "an upstream that asks for another page to be sent", site: "paywall /articles/* 0.10\nreverse_proxy $UPSTREAM {\n" +
			"@elsewhere header X-Accel-Redirect *\nhandle_response @elsewhere {\nrewrite * {rp.header.X-Accel-Redirect}\npaywall 0.50 {\nrule fifty\n}\nfile_server\n}\n}",
		serve: serveElsewhere,
		visits: []visit{
			{by: stranger, status: 402, outcome: "challenged"},
			{status: 200, outcome: "paid", page: true},
			{status: 200, outcome: "granted", page: true},
		},
		ledger: "charge", left: "0.90",
	},
}

// serveElsewhere has the server send another file.
func serveElsewhere(_ *flight, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Accel-Redirect", "/articles/2")
	_, _ = io.WriteString(w, "not this")
}
