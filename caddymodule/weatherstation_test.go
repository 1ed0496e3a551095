package caddymodule

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// station is one Caddy with a site for each row of the table, over TLS.
type station struct {
	*site
	address string // of the sites of the rows
	port    string
	rows    []weatherRow
	roots   *x509.CertPool
	clients map[string]http.RoundTripper // by the name of the protocol
	ledger  wallet.Ledger
}

// flight is a row over one protocol. It asks as a machine that owns a wallet.
type flight struct {
	*visitor
	row      *weatherRow
	protocol protocol
	station  *station
	ledger   wallet.Ledger
	holder   wallet.WalletID
	ctx      context.Context // ends before the test does

	arrived chan struct{} // for the upstream to close, or send on
	proceed chan struct{} // for the client to close, or send on
	gone    chan struct{} // for the upstream to close when it sees the client gone

	mu      sync.Mutex
	under   int           // requests under way in the server
	begun   int           // all so far
	early   int           // those of them in early data
	next    chan struct{} // closed when another begins; nil: nobody waits for it
	outcome string        // of the last that ended
}

// flightField is the header field that tells the server and the upstream which
// flight a request is of.
const flightField = "Weather-Flight"

const flightTimeout = 30 * time.Second

// flights holds the flights by number.
var flights sync.Map

// startWeather starts the site, a server for all upstreams, and a client for
// each protocol.
func startWeather(t *testing.T, rows []weatherRow) *station {
	t.Helper()
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := flightOf(r)
		f.row.serve(f, w, r)
	}))
	backend.Config.ErrorLog = nil
	backend.Start()
	t.Cleanup(backend.Close)

	s := &station{site: startSite(t, "paywall"), address: freeAddress(t), rows: rows}
	_, s.port, _ = strings.Cut(s.address, ":")
	certificate, key, roots := selfSigned(t, "*.weather.test")
	s.roots = roots
	handler := upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		if way, named := deliveries[r.URL.Query().Get("way")]; named {
			return way.serve(w, r)
		}
		f := flightOf(r)
		f.row.serve(f, w, r)
		return nil
	})
	terms := strings.NewReplacer("$UPSTREAM", backend.Listener.Addr().String(), "$HANDLER", handler)
	var config strings.Builder
	config.WriteString("paywall\n")
	for i, row := range rows {
		if row.site == "" {
			row.site = fromUpstream
		}
		fmt.Fprintf(&config, "}\n%s\n%s {\ntls %s %s\nroot %s\ntest_watch\n%s\n", row.routes, s.urlOf(i), certificate, key, s.root, terms.Replace(row.site))
	}
	s.write("articles/endless.txt", strings.Repeat("SECRET ", 2<<20)) // more than the sockets between hold
	for path, text := range weatherFiles {
		s.write(path, text)
	}
	if err := s.tryLoad("auto_https off\ndefault_bind 127.0.0.1", config.String()); err != nil {
		t.Fatal(err)
	}
	leased, err := runningApp(t).lease()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leased.release)
	s.ledger = leased
	s.clients = make(map[string]http.RoundTripper)
	for _, p := range protocols {
		s.clients[p.name] = spoken{p.dial(t, s.address, s.roots), p.proto}
	}
	return s
}

func (s *station) urlOf(index int) string {
	return "https://row" + strconv.Itoa(index) + ".weather.test:" + s.port
}

// takeOff prepares a row, with a wallet that has a unit of money.
func (s *station) takeOff(t *testing.T, index int, p protocol) *flight {
	t.Helper()
	there := *s.within(t)
	there.url = s.urlOf(index)
	f := &flight{
		row: &s.rows[index], protocol: p, station: s, ledger: s.ledger,
		arrived: make(chan struct{}, 2), proceed: make(chan struct{}), gone: make(chan struct{}),
	}
	f.visitor = &visitor{&there, &http.Client{Transport: s.clients[p.name], CheckRedirect: dontFollow, Timeout: flightTimeout}, http.Header{}}
	var cancel context.CancelFunc
	f.ctx, cancel = context.WithTimeout(context.Background(), flightTimeout)
	t.Cleanup(cancel)
	number := fmt.Sprintf("%d over %s", index, p.name)
	f.visitor = f.with(flightField, number).with("Accept", "application/json")
	f.visitor = f.owner("1.00")
	f.holder = f.walletOf(f.visitor)
	flights.Store(number, f)
	t.Cleanup(func() { flights.Delete(number) })
	return f
}

// flightOf is the flight that a request is of; nil: none.
func flightOf(r *http.Request) *flight {
	f, ok := flights.Load(r.Header.Get(flightField))
	if !ok {
		return nil
	}
	return f.(*flight)
}

// owner is a machine with a new wallet of that much money, over the flight's
// protocol.
func (f *flight) owner(money string) *visitor {
	f.Helper()
	return f.with("Authorization", f.station.within(f.T).machine(money).header.Get("Authorization"))
}

func (f *flight) walletOf(v *visitor) wallet.WalletID {
	f.Helper()
	bank := *v
	bank.site, bank.client = f.station.within(f.T), http.DefaultClient
	id, err := wallet.ParseWalletID(bank.id())
	if err != nil {
		f.Fatal(err)
	}
	return id
}

// stranger is a machine without a wallet.
func stranger(f *flight) *visitor {
	v := f.with("Accept", "application/json")
	v.header.Del("Authorization")
	return v
}

// reader is a browser with the wallet's cookie, whose reader follows a link.
func reader(f *flight) *visitor {
	_, token, _ := strings.Cut(f.header.Get("Authorization"), " ")
	v := stranger(f).with("Cookie", hostPrefix+tokenCookie+"="+token)
	for name, value := range map[string]string{
		"Accept": "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin",
	} {
		v.header.Set(name, value)
	}
	return v
}

// begin sends a request whose answer is read as it comes.
func (f *flight) begin(ctx context.Context, method, path string, body io.Reader, pairs ...string) (*http.Response, error) {
	f.Helper()
	r, err := http.NewRequestWithContext(ctx, method, f.url+path, body)
	if err != nil {
		f.Fatal(err)
	}
	r.Header = f.header.Clone()
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	return f.client.Transport.RoundTrip(r)
}

// await waits for a signal of another goroutine.
func (f *flight) await(what string, signal <-chan struct{}) {
	f.Helper()
	select {
	case <-signal:
	case <-time.After(10 * time.Second):
		f.Fatalf("after 10 s it is still not so that %s", what)
	}
}

// turn is where an upstream waits until the client has it go on.
func (f *flight) turn() {
	select {
	case <-f.proceed:
	case <-f.ctx.Done(): // a test that has failed must not wait for its upstream
	}
}

// untilGone is where an upstream waits for a client that leaves.
func (f *flight) untilGone(r *http.Request) {
	select {
	case <-r.Context().Done():
		close(f.gone)
	case <-f.ctx.Done():
	}
}
