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
// without being asked again, and so must not pay for such a guess: the wallet's
// entries are the same before and after it, and each click adds one (invariants
// 3 and 7). What is paid for may be guessed at and shown for nothing.
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

	paid := []string{"create", "voucher", "bundle", "visit /research/first"}
	reader.wantsEntries(paid)

	guessed := map[string]string{link: "prefetch", prefetched: "prefetch", prerendered: "prefetch;prerender"}
	reader.visit("/contents", 200)
	for path, purpose := range guessed {
		reader.eventually("the browser has guessed at "+path, func() bool {
			return slices.Equal(site.answers(path), []guess{{purpose, 402}})
		})
	}
	reader.wantsEntries(paid)

	for _, path := range []string{link, prefetched, prerendered} {
		reader.visit("/contents", 200)
		reader.wantsEntries(paid)
		reader.click(`a[href="`+path+`"]`, 200)
		reader.isAt(path)
		reader.says("Page " + path)
		if asked := site.answers(path); !slices.Contains(asked, guess{"", 200}) {
			t.Errorf("the click on %s was served from a guess: %+v", path, asked)
		}
		paid = append(paid, "visit "+path)
		reader.wantsEntries(paid)
	}

	reader.visit("/contents", 200)
	for path, purpose := range guessed {
		reader.eventually("the browser has guessed at "+path+", which is paid for", func() bool {
			return slices.Contains(site.answers(path), guess{purpose, 200})
		})
	}
	reader.click(`a[href="`+prerendered+`"]`, 200)
	reader.says("Page " + prerendered)
	reader.wantsEntries(paid)
	reader.wantsVisits(6)
	reader.wantsQuietConsole()
	site.verify()
}

// guess is a request of the access log: why it was sent, if nobody had asked
// for it, and what was answered.
type guess struct {
	purpose string
	status  int
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
		list = append(list, guess{strings.Join(logged.Request.Headers["Sec-Purpose"], " "), logged.Status})
	}
	return list
}

// onlyWallet asks the operator's command for the site's only wallet.
func (b *tab) onlyWallet() history {
	b.Helper()
	var list struct{ Wallets []struct{ Wallet string } }
	b.operator(&list, "wallet", "list")
	if len(list.Wallets) != 1 {
		b.Fatalf("the ledger has %+v, want one wallet", list.Wallets)
	}
	var shown history
	b.operator(&shown, "wallet", "show", list.Wallets[0].Wallet, "--limit", "1000")
	return shown
}

// wantsVisits compares what the wallet has left.
func (b *tab) wantsVisits(want int) {
	b.Helper()
	if passes := b.onlyWallet().Passes; len(passes) != 1 || passes[0].Visits != want {
		b.Fatalf("the wallet has %+v, want %d visits", passes, want)
	}
}

// wantsEntries compares what has happened to the wallet, oldest first: the kind
// of each entry and, of a view or visit, the page.
func (b *tab) wantsEntries(want []string) {
	b.Helper()
	var got []string
	for _, e := range slices.Backward(b.onlyWallet().Entries) {
		got = append(got, strings.TrimSpace(e.Kind+" "+e.Path))
	}
	if !slices.Equal(got, want) {
		b.Fatalf("the wallet's entries are %q, want %q", got, want)
	}
}
