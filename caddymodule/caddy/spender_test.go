package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// spender is a program with a wallet. It writes down what the server has told
// it, to compare with the ledger later. It is safe for concurrent use.
type spender struct {
	*server
	client *http.Client
	wallet string
	token  string

	mu       sync.Mutex
	unspent  []string            // codes of vouchers that were not sent yet
	redeemed map[string]bool     // codes
	bundles  map[string]bool     // ids of payments
	views    map[string]purchase // articles by path
	visits   map[string]purchase // letters by path
	doubts   []attempt           // whose answer was lost
}

// purchase is what was told of a page that can be read.
type purchase struct {
	charges int    // answers that told of a charge
	balance string // that came with it; empty where only a later answer let the page through
}

// attempt is a request that may move money. Whatever it does it does once,
// however often it is sent: an attempt in doubt is repeated (invariant 6).
type attempt struct {
	path string // of a page, or of an endpoint
	id   string // of the operation
	what string // the code of a voucher, or the path to pay for
}

const (
	payPath    = "/.paywall/pay"
	redeemPath = "/.paywall/vouchers/redeem"
)

// newSpender makes a wallet.
func newSpender(s *server) *spender {
	s.Helper()
	p := &spender{
		server: s,
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: spendersAtOnce}},

		redeemed: make(map[string]bool), bundles: make(map[string]bool),
		views: make(map[string]purchase), visits: make(map[string]purchase),
	}
	var made struct{ Wallet, Token string }
	status, _, body, err := p.send(http.MethodPost, "/.paywall/wallets", nil)
	if err != nil || status != http.StatusCreated || json.Unmarshal(body, &made) != nil {
		s.Fatalf("making a wallet: %d %v\n%s", status, err, body)
	}
	p.wallet, p.token = made.Wallet, made.Token
	return p
}

// spend sends what a busy program sends until the server is gone.
func (p *spender) spend(random *rand.Rand, id func() string, pages int) {
	for {
		a := attempt{path: fmt.Sprintf("/articles/%d", random.IntN(pages))}
		switch dice := random.IntN(100); {
		case dice < 12:
			a = attempt{path: payPath, id: id(), what: a.path}
		case dice < 20:
			a = attempt{path: redeemPath, id: id(), what: p.nextVoucher()}
		case dice < 23:
			a = attempt{path: payPath, id: id(), what: "/research/1"}
		case dice < 45:
			a = attempt{path: fmt.Sprintf("/research/%d", random.IntN(pages))}
		}
		if a.path == redeemPath && a.what == "" {
			continue
		}
		if err := p.try(a); err != nil {
			p.mu.Lock()
			p.doubts = append(p.doubts, a)
			p.mu.Unlock()
			return
		}
	}
}

func (p *spender) nextVoucher() (code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.unspent) - 1; last >= 0 {
		code, p.unspent = p.unspent[last], p.unspent[:last]
	}
	return code
}

// resolve repeats what is in doubt, until nothing is.
func (p *spender) resolve() {
	p.Helper()
	for _, a := range p.doubts {
		if err := p.try(a); err != nil {
			p.Fatalf("invariant 6: repeating %+v: %v", a, err)
		}
	}
	p.doubts = nil
}

// try sends an attempt and learns from the answer. An error means that there
// was none; the header of an answer whose body was cut off is one.
func (p *spender) try(a attempt) error {
	status, header, body, err := p.send(a.method(), a.path, a.body())
	if err != nil && header == nil {
		return err
	}
	switch {
	case status == http.StatusPaymentRequired: // the wallet is short, which costs nothing
	case status != http.StatusOK:
		p.Errorf("%+v answers %d: %s", a, status, body)
	case a.path == redeemPath:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.redeemed[a.what] = true
	case a.path == payPath:
		p.paid(a, header)
	default:
		p.read(a.path, header)
	}
	return nil
}

// paid learns that a payment has gone through, or that there was no need of it.
func (p *spender) paid(a attempt, header http.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(a.what, "/research/") {
		p.bundles[a.id] = true
		return
	}
	p.views[a.what] = p.views[a.what].told(header)
}

// read learns that a page can be read.
func (p *spender) read(path string, header http.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(path, "/research/") {
		p.visits[path] = p.visits[path].told(header)
		return
	}
	p.views[path] = p.views[path].told(header)
}

// told adds what one answer says.
func (known purchase) told(header http.Header) purchase {
	if header.Get("Paywall-Charged") == "" && header.Get("Paywall-Visits") == "" {
		return known
	}
	known.charges++
	known.balance, _, _ = strings.Cut(header.Get("Paywall-Balance"), " ")
	return known
}

func (a attempt) method() string {
	if a.id == "" {
		return http.MethodGet
	}
	return http.MethodPost
}

func (a attempt) body() []byte {
	var fields map[string]string
	switch {
	case a.path == redeemPath:
		fields = map[string]string{"id": a.id, "code": a.what}
	case strings.HasPrefix(a.what, "/research/"):
		fields = map[string]string{"id": a.id, "path": a.what, "offer": "bundle"}
	case a.path == payPath:
		fields = map[string]string{"id": a.id, "path": a.what, "offer": "view"}
	default:
		return nil
	}
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings are always JSON
	}
	return text
}

// send sends one request. Where the header has come and the body has not, both
// the header and an error are returned.
func (p *spender) send(method, path string, body []byte) (status int, header http.Header, text []byte, err error) {
	r, err := http.NewRequest(method, p.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, text, err
}

// bought lists the pages that can be read.
func (p *spender) bought() (paths []string) {
	for path := range p.views {
		paths = append(paths, path)
	}
	for path := range p.visits {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
