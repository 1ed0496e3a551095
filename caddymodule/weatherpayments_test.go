package caddymodule

import (
	"net/url"
)

// The rows about what was paid before the page was asked for.

// beforehand pays for a page by the button.
func beforehand(f *flight, path, offer string) {
	f.post("/.paywall/pay", url.Values{"path": {path}, "offer": {offer}}, 200)
}

// withVisits sells visits in threes.
const withVisits = "paywall /articles/* {\nrule letters\nbundle 3 0.30\n}\nreverse_proxy $UPSTREAM {\nflush_interval -1\n}"

var weatherOfPayments = []weatherRow{
	{
		name: "a page paid ahead is delivered once", serve: serveStatus,
		story: func(f *flight) {
			beforehand(f, "/articles/200", "view")
			f.pay(visit{by: reader, method: "HEAD", path: "/articles/200", status: 200, outcome: "granted"})
			f.pay(visit{by: reader, path: "/articles/200", status: 200, outcome: "granted", page: true})
			f.pay(visit{by: reader, path: "/articles/200", status: 200, outcome: "granted", page: true})
		},
		ledger: "charge deliver", left: "0.90",
	},
	{
		name: "a page paid ahead that does not exist is refunded", serve: serveStatus,
		story: func(f *flight) {
			beforehand(f, "/articles/404", "view")
			f.pay(visit{by: reader, path: "/articles/404", status: 404, outcome: "refunded"}).
				wantsHeader("Paywall-Refunded", "0.10 USD")
			f.pay(visit{by: reader, path: "/articles/404", status: 402, outcome: "challenged"})
		},
		ledger: "charge refund",
	},
	{
		name: "a page paid ahead is delivered by its first piece", site: fromFiles,
		story: func(f *flight) {
			beforehand(f, "/articles/1", "view")
			f.pay(visit{by: reader, header: []string{"Range", "bytes=999999-"}, status: 416, outcome: "refunded"})
			beforehand(f, "/articles/1", "view")
			f.pay(visit{by: reader, header: []string{"Range", "bytes=0-99"}, status: 206, outcome: "granted", page: true})
			f.pay(visit{by: reader, header: []string{"Range", "bytes=100-199"}, status: 206, outcome: "granted"})
		},
		ledger: "charge refund charge deliver", left: "0.90",
	},
	{
		name: "a 304 leaves a page paid ahead as it is", serve: serveStatus,
		story: func(f *flight) {
			beforehand(f, "/articles/304", "view")
			f.pay(visit{by: reader, path: "/articles/304", status: 304, outcome: "granted"})
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a reader with a cookie pays by the button and not by asking", serve: servePage,
		visits: []visit{
			{by: reader, status: 402, outcome: "challenged"},
			{by: reader, method: "POST", status: 402, outcome: "challenged"},
			{by: reader, method: "HEAD", status: 402, outcome: "challenged"},
		},
	},
	{
		name: "a visit is taken by a navigation and by nothing else", site: withVisits, serve: serveStatus,
		story: func(f *flight) {
			beforehand(f, "/articles/200", "bundle")
			for _, header := range [][]string{
				{"Sec-Purpose", "prefetch"}, {"Sec-Purpose", "prefetch;prerender"}, {"Sec-Fetch-Dest", "iframe"},
				{"Sec-Fetch-Dest", "image"}, {"Sec-Fetch-Site", "cross-site"}, {"Early-Data", "1"},
			} {
				f.pay(visit{by: reader, path: "/articles/200", header: header, status: 402, outcome: "challenged"})
			}
			f.pay(visit{by: reader, method: "HEAD", path: "/articles/200", status: 402, outcome: "challenged"})
			f.pay(visit{by: reader, path: "/articles/404", status: 404, outcome: "unpaid"})
			f.pay(visit{by: reader, path: "/articles/304", status: 304, outcome: "unpaid"})
			f.pay(visit{by: reader, path: "/articles/200", status: 200, outcome: "visit", page: true}).wantsHeader("Paywall-Visits", "2")
			f.pay(visit{by: reader, path: "/articles/200", status: 200, outcome: "granted", page: true}).wantsHeader("Paywall-Visits", "")
			f.pay(visit{path: "/articles/201", status: 201, outcome: "visit", page: true}).wantsHeader("Paywall-Visits", "1")
			f.pay(visit{by: reader, path: "/articles/202", status: 202, outcome: "visit", page: true}).wantsHeader("Paywall-Visits", "0")
			f.pay(visit{by: reader, path: "/articles/203", status: 402, outcome: "challenged"})
		},
		ledger: "bundle visit visit visit", left: "0.70",
	},
}
