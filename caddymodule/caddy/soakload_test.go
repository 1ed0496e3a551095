package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// load is the visitors of a soaked site: they ask at a steady rate, each time
// for one thing of a weighted choice, and know what may be answered.
type load struct {
	*server
	client  *http.Client
	began   time.Time
	ticks   chan struct{}
	readers []*soakReader
	codes   []string     // of vouchers
	next    atomic.Int64 // voucher
	pages   atomic.Int64 // numbers given out

	asked   []atomic.Int64 // by place in mix
	lost    atomic.Int64   // requests without an answer
	charges atomic.Int64
	wallets atomic.Int64 // made in the run
}

// soakReader is a wallet with money. What it has bought last is what it reads
// again.
type soakReader struct {
	token  string
	recent [16]atomic.Int64 // numbers of pages
}

// mix is what is asked, in hundredths.
var mix = [...]struct {
	what   string
	weight int
	ask    func(*load, *rand.Rand) (request, []int)
}{
	{"a new page", 22, (*load).newPage},
	{"a page again", 22, (*load).pageAgain},
	{"a page by cookie", 8, (*load).pageByCookie},
	{"a visit", 8, (*load).visit},
	{"a page paid ahead", 4, (*load).payAhead},
	{"nothing but the price", 20, (*load).price},
	{"by a forged token", 9, (*load).forge},
	{"a wallet", 2, (*load).newWallet},
	{"a voucher redeemed", 2, (*load).redeem},
	{"a wrong code", 3, (*load).wrongCode},
}

type request struct {
	method, path, body string
	header             map[string]string
}

const (
	soakVouchers  = 200 // redeemed in a run, at most
	soakLostShown = 10
)

func newLoad(s *server) *load {
	s.Helper()
	l := &load{
		server: s, began: time.Now(), ticks: make(chan struct{}),
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: soakWorkers}},
		codes:  s.vouchers("1.00", soakVouchers), asked: make([]atomic.Int64, len(mix)),
	}
	for _, code := range s.vouchers(soakMoney, soakReaders) {
		p := newSpender(s)
		if err := p.try(attempt{path: redeemPath, id: s.newID(), what: code}); err != nil {
			s.Fatal(err)
		}
		if err := p.try(attempt{path: payPath, id: s.newID(), what: "/research/1"}); err != nil {
			s.Fatal(err)
		}
		l.readers = append(l.readers, &soakReader{token: p.token})
	}
	return l
}

// pace lets the workers ask at the rate of the load.
func (l *load) pace(stop <-chan struct{}) {
	every(time.Second/soakRate, stop, func() {
		select {
		case l.ticks <- struct{}{}:
		default: // all are waiting for an answer
		}
	})
	close(l.ticks)
}

func (l *load) work(random *rand.Rand) {
	for range l.ticks {
		dice, kind := random.IntN(100), 0
		for dice >= mix[kind].weight {
			dice -= mix[kind].weight
			kind++
		}
		l.asked[kind].Add(1)
		r, want := mix[kind].ask(l, random)
		status, header, body, err := l.send(r)
		switch {
		case err != nil:
			if l.lost.Add(1) <= soakLostShown {
				l.Logf("%s: %v", mix[kind].what, err)
			}
		case !slices.Contains(want, status):
			l.Errorf("%s: %s %s answers %d, want one of %v\n%.300s", mix[kind].what, r.method, r.path, status, want, body)
		case header.Get("Paywall-Charged") != "" || header.Get("Paywall-Visits") != "":
			l.charges.Add(1)
		case status == http.StatusCreated:
			l.wallets.Add(1)
		}
	}
}

func (l *load) send(r request) (status int, header http.Header, body string, err error) {
	q, err := http.NewRequest(r.method, l.url+r.path, strings.NewReader(r.body))
	if err != nil {
		return 0, nil, "", err
	}
	q.Header.Set("Accept", "application/json")
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	if r.body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	answer, err := l.client.Do(q)
	if err != nil {
		return 0, nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, string(text), err
}

func (l *load) requests() (n int64) {
	for i := range l.asked {
		n += l.asked[i].Load()
	}
	return n
}

func (l *load) counts() string {
	text := fmt.Sprintf("%d without an answer", l.lost.Load())
	for i := range mix {
		text += fmt.Sprintf(", %d %s", l.asked[i].Load(), mix[i].what)
	}
	return text
}

// assertUseful verifies that the load was one: a server that hardly answers
// proves nothing.
func (l *load) assertUseful(length time.Duration) {
	l.Helper()
	least := int64(length/time.Second) * soakRate / 4
	if n := l.requests(); n < least || l.lost.Load() > n/100 || l.charges.Load() < n/10 {
		l.Errorf("%d requests of at least %d, %d without an answer, %d charges", n, least, l.lost.Load(), l.charges.Load())
	}
}

// asJSON is a body.
func asJSON(fields map[string]string) string {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings are always JSON
	}
	return string(text)
}
