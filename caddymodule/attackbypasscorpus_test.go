package caddymodule

import (
	"fmt"
	"strings"
)

// The corpus: what an attacker sends for a priced file. {host} stands for the
// server's, {token} for a token without money, {cookie} and {receipt} for the
// cookies of somebody who has bought another page.

// bypassTargets are addresses of priced files, and of one that is paid for.
var bypassTargets = []string{
	"/articles/1.html", "/articles/", "/solo.html", "/articles", "/articles/sub/2.html", "/articles/sub/", "/articles/1.html.gz", "/articles/.hidden",
	"/articles/link.html", "/articles/a%20b.html", "/articles/%2531.html", "/articles/%C3%A4.html", "/articles/a%5Cb.html", "/shop/articles/1.html",
	"/shop/solo.html", "/read/1.html", "/old/1.html", "/articles/1", "/articles/1.php", "/articles/1.php/x", "/articles/index.php/../../free.html",
	"/index.php/articles/1.php", "/articles/bought.html", "/articles/bought.html/../1.html", "/articles/1.html?bought.html", "/articlesx/1.html",
}

// bypassFullySpelled is how many of the targets are spelled in every way; the
// others in the first bypassSpelledShort ways.
const (
	bypassFullySpelled = 3
	bypassSpelledShort = 5
)

// spellingsOf are other ways to write a target, which some server somewhere
// takes for it. The first is the target itself.
func spellingsOf(target string) []string {
	path, query, _ := strings.Cut(target, "?")
	if query != "" {
		query = "?" + query
	}
	encoded := "/"
	for _, c := range []byte(path[1:]) {
		encoded += fmt.Sprintf("%%%02x", c)
	}
	first, rest, _ := strings.Cut(path[1:], "/")
	again := func(part, other string) string { return strings.ReplaceAll(path, part, other) + query }
	return []string{
		target, "/" + target, "/free/.." + target, again("/", "%2f"), encoded + query,
		"//" + target, "/./" + target[1:], "/." + target, "/.." + target, "/../.." + target, "/free/%2e%2e" + target, "/free/..%2f" + target[1:], "/free/.%2e" + target,
		"/free%2f.." + target, "/free/../free/.." + target, "/x/y/../.." + target, "/.paywall/.." + target, "/.paywall/wallet/../.." + target, "/.paywall/%2e%2e" + target,
		"/free.html/.." + target, "/free.html%00" + target, "/index.php/.." + target, "/.../.." + target, "/..;" + target, "/free/..;" + target,
		path + "/" + query, path + "/." + query, path + "//" + query, path + "/.." + query, path + "/../" + first + "/" + rest + query, path + "/x/.." + query,
		path + "/../../free.html", path + "/%2e%2e/%2e%2e/free.html", path + "%2f..%2f..%2ffree.html", path + "/../../.paywall/prices",
		path + "%00", path + "%00.html", path + "%20", path + "%09", path + ".", path + "%2e", path + "..", path + "::$DATA", path + "~", path + ";x=1", path + ";/x",
		path + "?", path + "?x", path + "?/../free.html", path + "#", path + "#/../free.html", path + "%3f", path + "%23", path + "?lang=fr", path + "&x", path + "%26",
		again("/", "//"), again("/", "/./"), again("/", `\`), again("/", "%5c"), again("/", "/%2e/"), again("/", "%252f"), again("/", "%c0%af"), again("/", "%e0%80%af"),
		again("/", "%ef%bc%8f"), again("a", "%61"), again("a", "%2561"), again("a", "A"), again("a", "%41"), again("s", "ſ"), again("a", "%c1%a1"), again("1", "%31"),
		again(".", "%2e"), again(".", "%252e"), again("html", "HTML"), again("html", "htm"), strings.ToUpper(path) + query, again("articles", "arti%63les"), again("articles", "articles%20"),
		again("articles", "%20articles"), again("articles", "articles."), again("articles", "articles;x=y"), again("articles", "%0d%0aarticles"), again("articles", "articles%00"),
		"http://{host}" + target, "https://{host}" + target, "http://elsewhere.example" + target, "http://user@{host}" + target, "HTTP://{host}/." + target, "ftp://{host}" + target,
		"//{host}" + target, "///{host}" + target, target[1:], "./" + target[1:], "*" + target, "*", "%2f" + target[1:], "?" + target, "{host}", "{host}" + target, "javascript:" + target, "file://" + target, "/%zz" + target, target + "%", target + "%u0061",
	}
}

// bypassMethods are methods that some server takes for GET.
var bypassMethods = []string{
	"get", "Get", "HEAD", "head", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "SEARCH", "REPORT", "QUERY", "LOCK",
	"MKCOL", "COPY", "PURGE", "BREW", "GETS", "G", "PRI", "X-GET", "GET\t", "M-SEARCH", "!",
}

// bypassFields are header fields that some server lets change what is asked
// for, by whom, or where it comes from.
var bypassFields = []string{
	"X-Original-URL: /articles/1.html", "X-Rewrite-URL: /articles/1.html", "X-Original-URI: /free.html", "X-Rewrite-URL: /free.html", "X-Forwarded-Uri: /free.html",
	"X-Forwarded-Path: /free.html", "X-Forwarded-Prefix: /articles", "X-Script-Name: /articles", "X-Accel-Redirect: /articles/1.html", "X-Sendfile: /articles/1.html",
	"X-HTTP-Method-Override: OPTIONS", "X-HTTP-Method: HEAD", "X-Method-Override: GET", "X-Forwarded-Host: elsewhere.example", "X-Forwarded-Proto: https", "X-Forwarded-Method: OPTIONS",
	"X-Forwarded-For: 127.0.0.1", "X-Real-Ip: 127.0.0.1", "Forwarded: for=127.0.0.1;host=elsewhere.example;proto=https", "Client-Ip: ::1", "True-Client-Ip: 127.0.0.1", "Via: 1.1 x",
	"Range: bytes=0-", "Range: bytes=0-0", "Range: bytes=-1", "Range: bytes=0-1,3-4,1400-", "Range: bytes=99999-", "Range: bytes=0-99999999999999999999", "Range: items=0-1",
	"Range: bytes=0-9\r\nIf-Range: \"x\"", "Range: bytes=0-9\r\nIf-Range: " + pricedDay, "If-None-Match: *", "If-None-Match: \"x\"", "If-Match: *", "If-Match: \"x\"",
	"If-Modified-Since: Sat, 03 Feb 2001 04:05:05 GMT", "If-Unmodified-Since: Sat, 03 Feb 2001 04:05:05 GMT", "If-Modified-Since: Sun, 04 Feb 2001 04:05:05 GMT",
	"Accept-Encoding: gzip", "Accept-Encoding: gzip, br, zstd", "Accept-Encoding: identity;q=0", "Accept: text/html", "Accept: application/json", "Accept: */*;q=0", "TE: trailers, gzip", "Connection: TE\r\nTE: trailers",
	"Expect: 100-continue", "Expect: 200-ok", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13",
	"Upgrade: TLS/1.0\r\nConnection: Upgrade", "Connection: Host", "Connection: Authorization, Cookie", "Connection: Paywall-Wallet, Content-Length", "Keep-Alive: timeout=1", "Proxy-Connection: close", "Max-Forwards: 0",
	"Origin: https://b.example", "Origin: https://b.example\r\nAccess-Control-Request-Method: GET", "Access-Control-Request-Method: GET", "Origin: null\r\nSec-Fetch-Site: cross-site", "Sec-Purpose: prefetch", "Sec-Purpose: prefetch;prerender", "Purpose: prefetch", "X-Moz: prefetch", "Sec-Fetch-Dest: iframe",
	"Early-Data: 1", "Paywall-Wallet: 5790d217-44ab-47a5-b6dc-a6373f6c9afb", "Paywall-Charged: 0.10 USD", "Paywall-Price: 0.00 USD", "Paywall-Charge: 01890000-0000-7000-8000-000000000000", "Paywall-Outcome: paid", "paywall_wallet: x", "Paywall.Granted: 1",
	"Authorization: Bearer {token}", "Authorization: bearer  {token}", "Authorization: Bearer {token}x", "Authorization: Bearer x", "Authorization: Bearer", "Authorization: Basic dTpw", "Authorization: Bearer {token}\r\nAuthorization: Bearer {token}",
	"Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "Authorization: Payment x", "Payment-Signature: e30=", "X-Payment: e30=", "Authorization:\tBearer\t{token}", "Authorization: Bearer {token}\r\nCookie: paywall={token}",
	"Cookie: paywall={token}", "Cookie: paywall={token}; paywall={token}", "Cookie: __Host-paywall={token}", "Cookie: paywall=x", "Cookie: paywall", "Cookie: ; ;paywall={token};;", "Cookie: {receipt}", "Cookie: {receipt}; {receipt}", "Cookie: paywall={token}; {receipt}",
	"Cookie: __Secure-{receipt}", "Cookie: __Secure-{receipt}\r\nX-Forwarded-Proto: https", "Cookie: paywall-receipt=" + strings.Repeat("A", 86), "Cookie: paywall-receipt=", "Cookie: {receipt}A", "Cookie: paywall-notice=redeemed; paywall-recovery=x",
	"Content-Length: 0", "Content-Length: 4", "Content-Length: -1", "Content-Length: 1e1", "Content-Length: +0", "Content-Type: application/json", "Transfer-Encoding: identity", "Trailer: Paywall-Wallet", "Host: elsewhere.example", "Host:", "X: \x00", "X : y", " X: y", "X\r\n: y", ":path: /free.html", "Cache-Control: only-if-cached", "Pragma: no-cache",
}

// bypassHosts are values of Host, as a client that knows tricks sends them.
var bypassHosts = []string{
	"{host}", "LOCALHOST", "localhost.", "localhost:80", "localhost:443", "127.0.0.1.", "[::1]", "elsewhere.example", "a/b", "a#b", "a b", "", "..", "a@{host}", "{host}, elsewhere.example", "%00", "a:b:c", "-", "xn--", "127.1", "0", "{host}/free.html?",
}

// bypassShapes are whole requests, and several on one connection, about whose
// ends servers disagree.
func bypassShapes(target string) (shapes []string) {
	inner := "GET " + target + " HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
	free := "GET /free.html HTTP/1.1\r\nHost: {host}\r\n"
	post := "POST /free.html HTTP/1.1\r\nHost: {host}\r\n"
	for _, chunked := range []string{
		"Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding:chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity",
		"Transfer-Encoding: identity, chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding: \x0bchunked", "Transfer-Encoding: Chunked", "X: y\r\n Transfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer_Encoding: chunked",
	} {
		for _, length := range []string{"", "Content-Length: 0\r\n", fmt.Sprintf("Content-Length: %d\r\n", len(inner)+5)} {
			shapes = append(shapes, post+length+chunked+"\r\n\r\n0\r\n\r\n"+inner)
		}
	}
	return append(shapes,
		inner+inner, free+"\r\n"+inner, strings.Replace(free, "/free.html", target, 1)+"\r\n"+inner, "\r\n\r\n"+inner, " "+inner, "\xef\xbb\xbf"+inner,
		post+"Content-Length: 0\r\n\r\n"+inner, post+"Content-Length: 0\r\nContent-Length: 5\r\n\r\n"+inner, post+"Content-Length: 0, 5\r\n\r\n"+inner,
		free+fmt.Sprintf("Content-Length: %d\r\n\r\n", len(inner))+inner, post+"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"+inner,
		post+"Transfer-Encoding: chunked\r\n\r\n0;x=\r\n\r\n"+inner, post+"Transfer-Encoding: chunked\r\n\r\n00000000000000000\r\n\r\n"+inner, post+"Transfer-Encoding: chunked\r\n\r\n0\r\nPaywall-Wallet: x\r\n\r\n"+inner,
		post+"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"+inner, post+"Transfer-Encoding: chunked\r\n\r\n0\n\n"+inner, post+"Transfer-Encoding: chunked\r\n\r\n3\r\nabc0\r\n\r\n"+inner,
		free+"X: y\n\n"+inner, free+"X: y\rZ: w\r\n\r\n"+inner, strings.ReplaceAll(inner, "\r\n", "\n"), strings.ReplaceAll(inner, "\r\n", "\r"), strings.Replace(inner, " HTTP/1.1", "", 1),
		"GET "+target+" HTTP/1.0\r\n\r\n", "GET "+target+" HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n"+inner, "GET "+target+"\r\n\r\n", "GET "+target+" HTTP/0.9\r\n\r\n", "GET "+target+" HTTP/1.2\r\nHost: {host}\r\n\r\n",
		"GET "+target+" HTTP/2.0\r\nHost: {host}\r\n\r\n", "GET "+target+" http/1.1\r\nHost: {host}\r\n\r\n", "GET  "+target+" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", "GET\t"+target+"\tHTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
		"GET /free.html "+target+" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", "GET "+target+" /free.html HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", "GET "+target+" HTTP/1.1\r\nConnection: close\r\n\r\n",
		"GET "+target+" HTTP/1.1\r\nHost: {host}\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n", "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"+inner, "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n"+inner,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+inner, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", inner[:len(inner)-2]+strings.Repeat("X: y\r\n", 200)+"\r\n",
		inner[:len(inner)-2]+"X: "+strings.Repeat("y", 20000)+"\r\n\r\n", "GET "+target+"?"+strings.Repeat("y", 10000)+" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", "GET "+strings.Repeat("/free/..", 300)+target+" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
	)
}

// request is a plain request, after which the server closes the connection.
func bypassRequest(method, target, fields string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n" + fields + "\r\n"
}

// bypassCorpus is every request of the corpus for every way.
func bypassCorpus() (requests []string) {
	for i, target := range bypassTargets {
		spelled := spellingsOf(target)
		if i >= bypassFullySpelled {
			spelled = spelled[:bypassSpelledShort]
		}
		for _, spelling := range spelled {
			requests = append(requests, bypassRequest("GET", spelling, ""))
		}
	}
	for _, method := range bypassMethods {
		requests = append(requests, bypassRequest(method, "/articles/1.html", ""), bypassRequest(method, "/articles/1.html", "Content-Length: 0\r\nX-HTTP-Method-Override: GET\r\n"))
	}
	for _, fields := range bypassFields {
		requests = append(requests, bypassRequest("GET", "/articles/1.html", fields+"\r\n"))
	}
	for _, fields := range []string{"Origin: https://b.example\r\nAccess-Control-Request-Method: GET\r\n", "Authorization: Bearer {token}\r\n", "Cookie: paywall={token}; {receipt}\r\n"} {
		for _, method := range []string{"OPTIONS", "HEAD", "POST"} {
			requests = append(requests, bypassRequest(method, "/articles/1.html", fields), bypassRequest(method, "/articles/1.php", fields+"X-HTTP-Method-Override: GET\r\n"))
		}
	}
	for _, host := range bypassHosts {
		requests = append(requests, "GET /articles/1.html HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
	}
	return requests
}
