package caddymodule

import (
	"strings"
	"testing"
	"time"
)

// maxBypassFuzz is the longest request that is tried, in bytes.
const maxBypassFuzz = 4 << 10

// FuzzBypass sends any bytes at all to a site: nothing that is priced comes
// back (invariant 4). The corpus is where it begins; way says to which site.
func FuzzBypass(f *testing.F) {
	s := startBypassSites(f, 10*time.Millisecond)
	seeds := append(bypassCorpus(), bypassShapes("/articles/1.html")...)
	for i, request := range append(seeds, bypassShapes("/articles/1.php")...) {
		f.Add(byte(i), []byte(request))
	}
	f.Fuzz(func(t *testing.T, way byte, request []byte) {
		if len(request) > maxBypassFuzz || saysPricedByte(request) {
			return
		}
		i := int(way) % len(bypassWays)
		sent := []byte(s.fill[i].Replace(string(request)))
		answer, err := sendRaw(s.priced[i], sent, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if what := leaked(answer); what != "" {
			t.Fatalf("%s: %s leave by\n%q", bypassWays[i].name, what, sent)
		}
	})
}

// saysPricedByte reports whether a request holds, however encoded, the byte by
// which an answer is judged: an answer may say back what was asked.
func saysPricedByte(request []byte) bool {
	text := string(request)
	for range 3 {
		if strings.IndexByte(text, pricedByte) >= 0 {
			return true
		}
		text = unescape(text)
	}
	return false
}
