package caddymodule

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// requestOf is a request with header fields given in pairs.
func requestOf(method, target string, pairs ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Add(pairs[i], pairs[i+1])
	}
	return r
}

func TestWhatARequestAsksFor(t *testing.T) {
	for _, c := range []struct {
		what string
		r    *http.Request
		want intent
	}{
		{"a view", requestOf("GET", "/"), mayPay},
		{"a range of a view", requestOf("GET", "/", "Range", "bytes=0-9"), mayPay},
		{"a head", requestOf("HEAD", "/"), neverPays},
		{"a prefetch", requestOf("GET", "/", "Sec-Purpose", "prefetch"), neverPays},
		{"a prerender", requestOf("GET", "/", "Sec-Purpose", "prefetch;prerender"), neverPays},
		{"a prefetch in capitals", requestOf("GET", "/", "Sec-Purpose", "Prefetch;anonymous-client-ip"), neverPays},
		{"a prefetch of an older browser", requestOf("GET", "/", "Purpose", "prefetch"), neverPays},
		{"a prefetch of an older Firefox", requestOf("GET", "/", "X-Moz", "prefetch"), neverPays},
		{"another purpose", requestOf("GET", "/", "Sec-Purpose", "preview"), mayPay},
		{"a speculative post", requestOf("POST", "/", "Sec-Purpose", "prefetch"), neverPays},
		{"a post", requestOf("POST", "/"), holdFirst},
		{"a delete", requestOf("DELETE", "/"), holdFirst},
		{"an unknown method", requestOf("BREW", "/"), holdFirst},
		{"a preflight", requestOf("OPTIONS", "/", "Origin", "https://a.example", "Access-Control-Request-Method", "GET"), preflight},
		{"options without an origin", requestOf("OPTIONS", "/", "Access-Control-Request-Method", "GET"), holdFirst},
		{"options that ask for no method", requestOf("OPTIONS", "/", "Origin", "https://a.example"), holdFirst},
		{"a view dressed as a preflight", requestOf("GET", "/", "Origin", "https://a.example", "Access-Control-Request-Method", "GET"), mayPay},
	} {
		if got := intentOf(c.r); got != c.want {
			t.Errorf("%s is %d, want %d", c.what, got, c.want)
		}
	}
}

func TestOnlyANavigationOfTheReaderTakesAVisit(t *testing.T) {
	for _, c := range []struct {
		what  string
		pairs []string
		want  bool
	}{
		{"an older browser", nil, true},
		{"a click on the site", []string{"Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "same-origin"}, true},
		{"a typed address", []string{"Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none"}, true},
		{"a click on another site", []string{"Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-User", "?1"}, true},
		{"another site's redirect", []string{"Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site"}, false},
		{"a frame", []string{"Sec-Fetch-Dest", "iframe"}, false},
		{"an image", []string{"Sec-Fetch-Dest", "image"}, false},
		{"a script's fetch", []string{"Sec-Fetch-Dest", "empty"}, false},
	} {
		if got := navigation(requestOf("GET", "/", c.pairs...).Header); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
}

func TestWhatCouldBeReplayedIsEarlyData(t *testing.T) {
	for _, c := range []struct {
		what  string
		state *tls.ConnectionState
		early string
		want  bool
	}{
		{"no TLS", nil, "", false},
		{"a complete handshake", &tls.ConnectionState{HandshakeComplete: true}, "", false},
		{"an incomplete handshake", &tls.ConnectionState{}, "", true},
		{"a proxy that says so", &tls.ConnectionState{HandshakeComplete: true}, "1", true},
		{"a header that says nothing", nil, "0", false},
	} {
		r := requestOf("GET", "/", "Early-Data", c.early)
		r.TLS = c.state
		if got := earlyData(r); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
}

func TestWhatAStatusMeansForTheMoney(t *testing.T) {
	want := map[int]delivery{101: delivered, 204: undelivered, 205: undelivered, 304: undetermined}
	for status := 200; status < 600; status++ {
		if _, special := want[status]; !special {
			want[status] = undelivered
			if status < 300 {
				want[status] = delivered
			}
		}
	}
	for status, meaning := range want {
		if got := deliveryOf(status); got != meaning {
			t.Errorf("%d means %d, want %d", status, got, meaning)
		}
	}
}

func TestAnErrorHasTheStatusItLeadsTo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 500}, // nothing was written, so nothing was delivered
		{errRefused, 500},
		{caddyhttp.Error(404, errRefused), 404},
		{caddyhttp.Error(0, errRefused), 500},
	} {
		if got := statusOf(c.err); got != c.want || deliveryOf(got) != undelivered {
			t.Errorf("%v leads to %d, want %d", c.err, got, c.want)
		}
	}
}

func TestAPaidPageIsPrivateWhateverTheUpstreamSays(t *testing.T) {
	for upstream, want := range map[string]string{
		"": "private", "public, max-age=3600": "private", "s-maxage=60": "private",
		"no-store": "private, no-store", "No-Store, max-age=0": "private, no-store",
	} {
		if got := privately(upstream); got != want {
			t.Errorf("%q becomes %q, want %q", upstream, got, want)
		}
	}
}
