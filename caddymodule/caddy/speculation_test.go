package main_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A page can tell the browser to fetch others that nobody has asked for yet, and
// even to build them unseen. A reader who has bought visits pays with them
// without being asked again, and so must not pay for such a guess.
func TestABrowserThatGuessesTheNextPageDoesNotPay(t *testing.T) {
	const link, prefetched, prerendered = "/research/link", "/research/prefetched", "/research/prerendered"
	site := newServer(t, pages(map[string]string{"/contents": fmt.Sprintf(`<!doctype html><html lang="en"><title>Contents</title>
		<link rel="prefetch" href="%[1]s">
		<script type="speculationrules">{
			"prefetch": [{"urls": ["%[2]s"], "eagerness": "immediate"}],
			"prerender": [{"urls": ["%[3]s"], "eagerness": "immediate"}]
		}</script>
		<main><h1>Contents</h1><a href="%[1]s">1</a> <a href="%[2]s">2</a> <a href="%[3]s">3</a>`,
		link, prefetched, prerendered)}))
	site.start()
	reader := newDevice(site, startBrowser(t), true)
	reader.visit("/research/first", 402)
	reader.fill("#voucher", site.vouchers("5.00", 1)[0])
	reader.click("form:has(#voucher) button", 402)
	reader.click(`button[value="bundle"]`, 200)
	reader.wantsVisits(9)

	reader.visit("/contents", 200)
	for _, path := range []string{link, prefetched, prerendered} {
		reader.eventually("the browser has guessed at "+path, func() bool {
			return slices.Equal(site.answers(path), []guess{{true, 402}})
		})
	}
	reader.wantsVisits(9)

	for _, path := range []string{link, prefetched, prerendered} {
		reader.visit("/contents", 200)
		reader.click(`a[href="`+path+`"]`, 200)
		reader.isAt(path)
		reader.says("Page " + path)
		if asked := site.answers(path); !slices.Contains(asked, guess{false, 200}) {
			t.Errorf("the click on %s was served from a guess: %+v", path, asked)
		}
	}
	reader.wantsVisits(6)
	reader.wantsQuietConsole()
	site.verify()
}

// guess is a request of the access log: whether nobody had asked for it, and
// what was answered.
type guess struct {
	speculative bool
	status      int
}

// answers lists the requests for a path, in order.
func (s *server) answers(path string) (list []guess) {
	for line := range strings.Lines(s.output.String()) {
		var logged struct {
			Status  int
			Request struct {
				URI     string
				Headers map[string][]string
			}
		}
		if json.Unmarshal([]byte(line), &logged) != nil || logged.Request.URI != path {
			continue
		}
		purpose := strings.Join(logged.Request.Headers["Sec-Purpose"], " ")
		list = append(list, guess{strings.Contains(purpose, "prefetch"), logged.Status})
	}
	return list
}

// wantsVisits asks the operator's command what the site's only wallet has left.
func (b *tab) wantsVisits(want int) {
	b.Helper()
	var list struct {
		Wallets []struct{ Passes []struct{ Visits int } }
	}
	b.operator(&list, "wallet", "list")
	if len(list.Wallets) != 1 || len(list.Wallets[0].Passes) != 1 || list.Wallets[0].Passes[0].Visits != want {
		b.Fatalf("the ledger has %+v, want one wallet with %d visits", list.Wallets, want)
	}
}
