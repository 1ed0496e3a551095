package caddymodule

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// compare sends a request to a site and to the one beside it that has no
// prices, and says what is wrong; empty: nothing. reached reports whether it
// gets something priced where nothing has a price.
func (s *bypassSites) compare(way int, request string) (wrong string, reached bool) {
	sold := s.raw(s.priced[way], s.filled(way, request))
	free := s.raw(s.bare[way], []byte(strings.ReplaceAll(string(s.filled(way, request)), s.priced[way], s.bare[way])))
	if what := leaked(sold); what != "" {
		return "it gets " + what, true
	}
	answers, reached := parsed(sold), leaked(free) != ""
	for _, a := range answers {
		if reached && a.status < 300 && !harmless(a) {
			return "it gets a success", true
		}
		if a.status == 402 && !speaksOfPriced(request) && bypassWays[way].name != "whole site" {
			return "something free is sold", reached
		}
	}
	sells := bytes.Contains(sold, []byte("HTTP/1.1 402")) || bytes.Contains(sold, []byte("HTTP/1.0 402"))
	if bytes.Contains(free, []byte(freeMark)) && !sells && !reached && !led(answers) {
		if was, is := fmt.Sprint(parsed(free)), fmt.Sprint(answers); was != is {
			return fmt.Sprintf("of something free it gets %.300s and not %.300s", is, was), false
		}
	}
	return "", reached
}

// led reports whether an answer leads to the path that was meant, or it is the
// list of prices that is meant.
func led(answers []parsedAnswer) bool {
	for _, a := range answers {
		if a.status == 308 || bytes.Contains(a.body, []byte(`"rules"`)) {
			return true
		}
	}
	return false
}

// harmless reports whether a success is of something that is not for sale.
func harmless(a parsedAnswer) bool {
	return len(a.body) == 0 || bytes.Contains(a.body, []byte(freeMark)) || bytes.Contains(a.body, []byte(boughtMark)) || bytes.Contains(a.body, []byte(`"rules"`))
}

// speaksOfPriced reports whether a request names something that has a price.
func speaksOfPriced(request string) bool {
	for range 3 {
		lower := strings.ToLower(request)
		for _, name := range []string{"articles", "solo", "read", "old"} {
			if strings.Contains(lower, name) {
				return true
			}
		}
		request = unescape(request)
	}
	return false
}

// unescape decodes what can be.
func unescape(text string) string {
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		if i+3 <= len(text) {
			if c, err := url.PathUnescape(text[i : i+3]); err == nil && len(c) == 1 {
				plain.WriteString(c)
				i += 2
				continue
			}
		}
		plain.WriteByte(text[i])
	}
	return plain.String()
}

// run sends requests to the sites, several at a time, and returns how many
// would get something priced. It fails where none could have got anything.
func (s *bypassSites) run(t *testing.T, requests []string, ways ...string) (total int) {
	t.Helper()
	for way := range bypassWays {
		if len(ways) > 0 && !slices.Contains(ways, bypassWays[way].name) {
			continue
		}
		var reached atomic.Int64
		var senders sync.WaitGroup
		queue := make(chan string)
		for range bypassSenders {
			senders.Go(func() {
				for request := range queue {
					wrong, would := s.compare(way, request)
					if wrong != "" {
						t.Errorf("%s: %s by\n%.400q", bypassWays[way].name, wrong, request)
					}
					if would {
						reached.Add(1)
					}
				}
			})
		}
		for _, request := range requests {
			queue <- request
		}
		close(queue)
		senders.Wait()
		if reached.Load() < 10 {
			t.Errorf("%s: only %d requests get something where it is free", bypassWays[way].name, reached.Load())
		}
		total += int(reached.Load())
	}
	return total
}

// bypassSenders is how many requests are on their way at once: many, as some
// wait for the server to lose its patience.
const bypassSenders = 64

// The attack: a request in whatever spelling, by whatever method, with whatever
// fields, that the price overlooks and the site answers. No byte of what is
// priced leaves without a grant (invariant 4), and what is free stays as it is.
func TestAttackBypassBySpellingMethodAndFields(t *testing.T) {
	s := startBypassSites(t, time.Second)
	corpus := bypassCorpus()
	total := s.run(t, corpus)
	t.Logf("%d requests to each of %d sites: %d would get something priced", len(corpus), len(bypassWays), total)
}

// The attack: several requests in one, about whose ends servers disagree.
func TestAttackBypassByShape(t *testing.T) {
	s := startBypassSites(t, time.Second)
	s.run(t, append(bypassShapes("/articles/1.html"), bypassShapes("/articles/1.php")...),
		"file_server", "proxy", "proxy to one that looks at the beginning", "php_fastcgi")
}
