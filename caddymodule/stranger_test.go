package caddymodule

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"pgregory.net/rapid"
)

// always is a source of numbers that are all the same, so that two quotes are.
type always byte

func (a always) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(a)
	}
	return len(p), nil
}

// hostileParts is what requests and titles are put together from, to break out
// of every place that they stand in.
var hostileParts = []string{
	"<script>", "</title>", `"`, "'", "&", "+", "%2F", "%zz", "{{env \"HOME\"}}", "\\", "/", "//", "?", "#", "=", ";", ":", "é", "שלום", "plain",
	"\x00", "\n", " ", "\u2028", "\u202e", "\ufffd", "\xff", "&lang=it", "a=1", strings.Repeat("long", 100),
}

func hostileText() *rapid.Generator[string] {
	part := rapid.OneOf(rapid.SampledFrom(hostileParts), rapid.String())
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(part, 0, 5).Draw(t, "parts"), "") })
}

// strangeSale is a stranger's request for whatever, of a handler whose clock
// and numbers stand still.
func strangeSale(t *rapid.T, h Handler, k *keys) *sale {
	r := asked("/", http.Header{"Accept-Language": {rapid.SampledFrom([]string{"en", "fr", "it", "de"}).Draw(t, "lang")}})
	r.Method = rapid.SampledFrom([]string{"GET", "HEAD", "POST"}).Draw(t, "method")
	r.Host = "site.example" + hostileText().Draw(t, "host")
	r.URL = &url.URL{Path: "/" + hostileText().Draw(t, "path"), RawQuery: hostileText().Draw(t, "query")}
	h.Title, h.Teaser = hostileText().Draw(t, "title"), hostileText().Draw(t, "teaser")
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, *r))
	return &sale{ask: h.ask(r), r: r, keys: k}
}

// Whatever a stranger asks for, the answer that was made beforehand is the one
// that would be made for the request.
func TestAStrangersAnswerIsTheOneMadeForAnybody(t *testing.T) {
	for _, config := range []string{
		benchedPrice,
		`{"rule":"a\"<&>","bundle":{"visits":10,"price":"0.90","validity":"30d"},"window":"90m"}`,
		`{"price":"5","bundle":{"visits":1000000,"price":"123456.000001"}}`,
	} {
		h := pricedHandler(t, config)
		now := time.Now()
		h.app.now, h.app.random = func() time.Time { return now }, always(7)
		k, err := h.app.open()
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			s := strangeSale(t, *h, k)
			var page bytes.Buffer
			if err := s.challengePage(nil, news{}).Render(&page); err != nil {
				t.Fatal(err)
			}
			for f, want := range map[form]string{
				asHTML: page.String(), asJSON: string(marshaled(s.challengeJSON(nil))), asText: s.challengeText(nil),
			} {
				if got, _ := s.appendStranger([]byte("before "), f); string(got) != "before "+want {
					t.Fatalf("in form %d it is\n%s\nwant\n%s", f, got, want)
				}
			}
		})
	}
}

// The memory of one answer is that of the next.
func TestStrangersAtOnceGetEachTheirOwnAnswer(t *testing.T) {
	h := pricedHandler(t, `{"rule":"/articles/*","price":"0.10"}`)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 50 {
				path := fmt.Sprintf("/articles/%d-%d-", worker, i)
				for _, accept := range []string{"text/html", "application/json", "*/*"} {
					w := &kept{counted: counted{header: http.Header{}}}
					if err := h.ServeHTTP(w, asked(path, http.Header{"Accept": {accept}}), nil); err != nil || w.status != http.StatusPaymentRequired {
						t.Errorf("%s: %d, %v", path, w.status, err)
					}
					if strings.Count(w.body, "/articles/") != strings.Count(w.body, path) || !strings.Contains(w.body, path) {
						t.Errorf("in %s the answer for %s is\n%s", accept, path, w.body)
					}
				}
			}
		})
	}
	group.Wait()
}

// kept takes an answer and keeps it.
type kept struct {
	counted
	body string
}

func (k *kept) Write(body []byte) (int, error) { k.body += string(body); return len(body), nil }

// Caddy's header directive replaces values in place, and others add to them.
func TestWhatIsDoneToTheHeaderOfOneAnswerIsNotDoneToTheNext(t *testing.T) {
	h := pricedHandler(t, benchedPrice)
	now := time.Now()
	h.app.now = func() time.Time { return now } // or the length of a quote's end would vary
	answer := func(accept string) http.Header {
		w := &counted{header: http.Header{}}
		if err := h.ServeHTTP(w, asked("/articles/1", http.Header{"Accept": {accept}}), nil); err != nil {
			t.Fatal(err)
		}
		return w.header
	}
	for _, accept := range []string{"text/html", "application/json", "*/*"} {
		first := answer(accept)
		before := first.Clone()
		for name, values := range first {
			if name != http.CanonicalHeaderKey(name) {
				t.Errorf("%s is not in the form that others look for", name)
			}
			first[name] = append(values, "added")
		}
		for name, values := range first {
			if !strings.HasPrefix(strings.Join(values, "\n"), strings.Join(before[name], "\n")) {
				t.Errorf("%s becomes %q when others are added to", name, values)
			}
			for i := range values {
				values[i] = "replaced"
			}
		}
		for name, values := range answer(accept) {
			if strings.Join(values, "\n") != strings.Join(before[name], "\n") {
				t.Errorf("the next answer has %s %q, want %q", name, values, before[name])
			}
		}
	}
}
