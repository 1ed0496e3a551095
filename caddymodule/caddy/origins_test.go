package main_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// origins serves a paywall at http://localhost, one of whose articles the site
// shares with every origin, and pages of two other origins: another site, and
// another origin of the same site, to which browsers send the same cookies.
func origins(neighbour string) func(port, admin string) string {
	return func(port, admin string) string {
		return fmt.Sprintf(`{
	admin %[2]s
	persist_config off
}
http://localhost:%[1]s {
	bind 127.0.0.1
	header Content-Type text/html
	paywall /articles/* 0.10
	header /articles/shared Access-Control-Allow-Origin *
	@preflight {
		method OPTIONS
		path /articles/shared
	}
	header @preflight Access-Control-Allow-Headers Authorization
	respond @preflight 204
	respond "<!doctype html><title>A page</title><main><h1>Page {path}</h1>"
}
http://127.0.0.1:%[1]s, http://localhost:%[3]s {
	bind 127.0.0.1
	header Content-Type text/html
	respond "<!doctype html><title>Another origin</title>"
}
`, port, admin, neighbour)
	}
}

// reply is what a script's fetch gets.
type reply struct {
	Error  string // of a fetch that the browser forbids the script
	Status int
	Header map[string]string // as far as the script may read it
	Body   string
}

// fetch runs fetch(url, options) in the page, where options is JavaScript.
func (b *tab) fetch(url, options string) (got reply) {
	b.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[reply](fmt.Sprintf(`(async () => {
		try {
			const r = await fetch(%q, %s);
			return {error: "", status: r.status, header: Object.fromEntries(r.headers), body: await r.text()};
		} catch (e) {
			return {error: String(e), status: 0, header: {}, body: ""};
		}
	})()`, url, options), chromedp.EvalAwaitPromise))
	b.must(err)
	return got
}

// wants fails if the script got another status, and decodes its JSON.
func (b *tab) wantsReply(got reply, status int, into any) {
	b.Helper()
	if got.Status != status {
		b.Fatalf("the script gets %+v, want status %d", got, status)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(got.Body), into); err != nil {
			b.Fatalf("the script gets %+v: %v", got, err)
		}
	}
}

// goTo goes to an address of any origin.
func (b *tab) goTo(url string) {
	b.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.NavigateResponse(url))
	b.must(err)
	b.wantsStatus(answer, 200)
}

// otherOrigins are the addresses of a page elsewhere and of a page next door.
func otherOrigins(site *server, neighbour string) map[string]string {
	return map[string]string{
		"another site": strings.Replace(site.url, "localhost", "127.0.0.1", 1) + "/",
		"next door":    "http://localhost:" + neighbour + "/",
	}
}

func TestAScriptOfAnotherOriginReadsThe402AndPaysInABrowser(t *testing.T) {
	neighbour := freePort(t)
	site := newServer(t, origins(neighbour))
	site.start()
	browser := startBrowser(t)
	for name, origin := range otherOrigins(site, neighbour) {
		b := newDevice(site, browser, true)
		b.goTo(origin)
		var challenge struct{ Quote, Pay, Wallets, Redeem string }
		asked := b.fetch(site.url+"/articles/1", `{headers: {Accept: "application/json"}}`)
		b.wantsReply(asked, 402, &challenge)
		if asked.Header["paywall-price"] != "0.10 USD" || !strings.Contains(asked.Header["link"], challenge.Pay) {
			t.Errorf("%s: the script reads %v", name, asked.Header)
		}
		var made struct{ Token string }
		b.wantsReply(b.fetch(site.url+challenge.Wallets, `{method: "POST"}`), 201, &made)
		send := func(path, body string) reply {
			return b.fetch(site.url+path, fmt.Sprintf(`{method: "POST", credentials: "include",
				headers: {Authorization: "Bearer %s", "Content-Type": "application/json", Accept: "application/json"}, body: %q}`, made.Token, body))
		}
		if got := send(challenge.Redeem, fmt.Sprintf(`{"code": %q}`, site.vouchers("1.00", 1)[0])); !strings.Contains(got.Error, "TypeError") {
			t.Errorf("%s: with the reader's cookies allowed the script gets %+v", name, got)
		}
		send = func(path, body string) reply {
			return b.fetch(site.url+path, fmt.Sprintf(`{method: "POST",
				headers: {Authorization: "Bearer %s", "Content-Type": "application/json", Accept: "application/json"}, body: %q}`, made.Token, body))
		}
		b.wantsReply(send(challenge.Redeem, fmt.Sprintf(`{"code": %q}`, site.vouchers("1.00", 1)[0])), 200, nil)
		paid := send(challenge.Pay, fmt.Sprintf(`{"quote": %q}`, challenge.Quote))
		b.wantsReply(paid, 200, nil)
		if paid.Header["paywall-charged"] != "0.10 USD" || paid.Header["paywall-balance"] != "0.90 USD" {
			t.Errorf("%s: the script that has paid reads %v", name, paid.Header)
		}

		token := fmt.Sprintf(`{headers: {Authorization: "Bearer %s"}}`, made.Token)
		read := b.fetch(site.url+"/articles/shared", token)
		b.wantsReply(read, 200, nil)
		if read.Header["paywall-charged"] != "0.10 USD" || !strings.Contains(read.Body, "Page /articles/shared") {
			t.Errorf("%s: of the page that is shared the script gets %+v", name, read)
		}
		if got := b.fetch(site.url+"/articles/1", token); got.Error == "" {
			t.Errorf("%s: of the page that is not shared the script gets %+v", name, got)
		}
		if got := b.fetch(site.url+"/.paywall/wallet", token); got.Status != 200 || !strings.Contains(got.Body, `"0.80"`) {
			t.Errorf("%s: of its wallet the script gets %+v", name, got)
		}
	}
	site.verify()
}

// bodyOf writes fields as a body of a media type.
func bodyOf(t *testing.T, media string, fields map[string]string) string {
	t.Helper()
	if media == "application/x-www-form-urlencoded" {
		form := url.Values{}
		for name, value := range fields {
			form.Set(name, value)
		}
		return form.Encode()
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A reader has a wallet, and visits a page of another origin whose script would
// like to spend it, look into it, or put its own in its place.
func TestAScriptOfAnotherOriginCannotUseTheReadersWalletInABrowser(t *testing.T) {
	neighbour := freePort(t)
	site := newServer(t, origins(neighbour))
	site.start()
	browser := startBrowser(t)
	for name, origin := range otherOrigins(site, neighbour) {
		reader := newDevice(site, browser, true)
		reader.visit("/articles/1", 402)
		reader.fill("#voucher", site.vouchers("5.00", 1)[0])
		reader.click("form:has(#voucher) button", 402)

		reader.goTo(origin)
		code := site.vouchers("1.00", 1)[0]
		for _, mode := range []string{"cors", "no-cors"} {
			for _, media := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain"} {
				for path, fields := range map[string]map[string]string{
					"pay": {"path": "/articles/1"}, "vouchers/redeem": {"code": code}, "wallet/recovery": {}, "wallets": {},
				} {
					body := bodyOf(t, media, fields)
					got := reader.fetch(site.url+"/.paywall/"+path, fmt.Sprintf(`{method: "POST", mode: %q, credentials: "include",
						headers: {"Content-Type": %q}, body: %q}`, mode, media, body))
					if got.Error == "" && mode == "cors" || got.Body != "" {
						t.Errorf("%s: by a %s request of %s to %s the script gets %+v", name, mode, media, path, got)
					}
				}
			}
		}
		for _, path := range []string{"/.paywall/wallet", "/.paywall/wallet/entries", "/articles/1"} {
			if got := reader.fetch(site.url+path, `{credentials: "include"}`); got.Error == "" {
				t.Errorf("%s: with the reader's cookie the script reads %s: %+v", name, path, got)
			}
			if got := reader.fetch(site.url+path, `{}`); got.Status == 200 || strings.Contains(got.Body, "5.00") {
				t.Errorf("%s: without the reader's cookie the script reads %s: %+v", name, path, got)
			}
		}
		reader.visit("/.paywall/wallet", 200)
		reader.says("$5.00")
		if rows := evaluate[int](reader, `document.querySelectorAll("main tbody tr").length`); rows != 2 { // that it was made, and its voucher
			t.Errorf("%s: the reader's wallet lists %d entries:\n%s", name, rows, reader.look())
		}
	}
	site.verify()
}
