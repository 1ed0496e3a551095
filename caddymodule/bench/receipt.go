package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

// warmLimit is how long verifying every token may take.
const warmLimit = 5 * time.Minute

// acquaint has the paywall know its readers, as one that has run for a while
// does: each token has been verified once.
func (s *stand) acquaint(ctx context.Context) error {
	for _, c := range s.paywalls {
		if err := s.introduce(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// introduce shows a Caddy every token once.
func (s *stand) introduce(ctx context.Context, c *caddy) error {
	everybody := row{
		Site: fileServer, Connections: fewConnections, Name: "every token once", who: bearer, path: pricedPath, accept: programAccept,
	}
	l := everybody.load(s, warmLimit)
	l.limit = len(s.readers.tokens)
	_, counted, err := s.run(ctx, []*caddy{c}, everybody, l)
	if err == nil {
		err = everybody.judge(counted)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", everybody, err)
	}
	return nil
}

// giveReceipts gives browsers their receipts on every site.
func (s *stand) giveReceipts(ctx context.Context) (err error) {
	s.cookies = make(map[string]receipts)
	for _, site := range []string{fileServer, reverseProxy} {
		if s.cookies[site], err = s.takeReceipts(ctx, site); err != nil {
			return err
		}
	}
	return nil
}

// receiptReaders is how many readers come back with what a page has given their
// browsers: each is asked for singly beforehand.
const receiptReaders = 10_000

// receipts is what readers' browsers send once they have read a page again.
type receipts struct {
	count int
	lines string // path of the file with a Cookie field for each
}

// takeReceipts reads a page again as the browser of each of the first readers
// does, by the wallet's cookie. What the browser sends from then on is that
// cookie, and what the answer has set.
func (s *stand) takeReceipts(ctx context.Context, site string) (receipts, error) {
	count := min(receiptReaders, len(s.readers.tokens))
	cookies := make([]string, count)
	for i := range count {
		cookies[i] = walletCookie + "=" + s.readers.tokens[i]
		given, err := readAgain(ctx, "http://"+s.paywalls[0].of(site)+pagePath(i), cookies[i])
		if err != nil {
			return receipts{}, err
		}
		for _, cookie := range given {
			cookies[i] += "; " + cookie.Name + "=" + cookie.Value
		}
	}
	r := receipts{count, filepath.Join(s.dir, "cookies."+site)}
	return r, writeLines(r.lines, count, func(i int) string { return "Cookie: " + cookies[i] })
}

const walletCookie = "paywall" // as it is named without TLS

func readAgain(ctx context.Context, url, cookie string) (given []*http.Cookie, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Cookie", cookie)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading %s again by a wallet's cookie: %s", url, answer.Status)
	}
	if given = answer.Cookies(); len(given) == 0 {
		return nil, fmt.Errorf("reading %s again by a wallet's cookie gave no receipt", url)
	}
	return given, nil
}
