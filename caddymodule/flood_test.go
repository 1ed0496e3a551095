package caddymodule

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	floodWarm    = 1000      // requests until the caches and tables are there
	floodBriefly = 5000      // requests of a flood; more with PAYWALL_FLOOD=300000
	floodSlack   = 128 << 10 // bytes: a tenth of what one small object a request would take
)

func floodLength(t *testing.T) int {
	t.Helper()
	text := os.Getenv("PAYWALL_FLOOD")
	if text == "" {
		return floodBriefly
	}
	length, err := strconv.Atoi(text)
	if err != nil || length < floodBriefly {
		t.Fatalf("PAYWALL_FLOOD=%s must be a number of at least %d", text, floodBriefly)
	}
	return length
}

// flood is requests that are all distinct in one thing.
type flood struct {
	what    string
	request func(i int) *http.Request
	status  int
	kept    int64 // bytes that each may leave behind, in something bounded
}

// Whatever strangers send, and however many different ones, leaves nothing in
// memory. Each flood comes from as many addresses as it has requests.
func TestFloodsLeaveNothingInMemory(t *testing.T) {
	s := floodSite(t)
	server, length := runningServer(t), floodLength(t)
	for _, f := range append(s.tokenFloods(), s.headerFloods()...) {
		t.Run(f.what, func(t *testing.T) {
			run(t, server, f, 0, floodWarm)
			before, goroutines := heap(), runtime.NumGoroutine()
			run(t, server, f, floodWarm, length)
			grown := heap() - before
			if most := floodSlack + f.kept*int64(length); grown > most {
				t.Errorf("%d requests have left %d bytes in memory, may leave %d", length, grown, most)
			}
			t.Logf("%d bytes after %d requests", grown, length)
			if more := runtime.NumGoroutine() - goroutines; more > 10 {
				t.Errorf("%d goroutines are left over", more)
			}
		})
	}
}

// Wallets are free, so a flood of them leaves what the ledger keeps of those
// that all addresses together may make, and then nothing.
func TestAFloodOfNewWalletsEnds(t *testing.T) {
	floodSite(t)
	server, limits := runningServer(t), runningApp(t).limits
	const left = 200
	for range maxAllWallets - left {
		limits.allWallets.add(everybody, time.Now())
	}
	made := 0
	flood := func(length int) {
		for i := range length {
			r := post(walletsPath, "")
			r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:5000", i>>8, i&255)
			w := &discarder{header: make(http.Header)}
			server.ServeHTTP(w, r)
			if w.status == http.StatusCreated {
				made++
			} else if w.status != http.StatusTooManyRequests {
				t.Fatalf("request %d: status %d", i, w.status)
			}
		}
	}
	flood(floodBriefly)
	start := time.Now()
	first, before := made, heap()
	if first < left {
		t.Errorf("%d wallets are made, at least %d may be", first, left)
	}
	flood(floodBriefly)
	ever := int(time.Since(start)/(newWalletPeriod/maxAllWallets)) + 2 // one at each end
	if made-first > ever {
		t.Errorf("%d further wallets are made, at most %d may be", made-first, ever)
	}
	if grown := heap() - before; grown > int64(floodSlack+ever*2*(220+55)) {
		t.Errorf("the flood has left %d bytes in memory", grown)
	}
}

// floodSite answers whatever the host, and limits nobody who does not come
// back.
func floodSite(t *testing.T) *site {
	t.Helper()
	s := startSite(t, magazine)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	config, err := adapt(fmt.Sprintf("{\nadmin %s\npaywall {\nunpaid_limit 1000000 1s\n}\n}\nhttp://:%s {\nbind 127.0.0.1\nroot %s\n%s\n}", s.admin, port, s.root, magazine))
	if err != nil {
		t.Fatal(err)
	}
	s.loadJSON(config)
	return s
}

// runningServer is the server of the running configuration, without a network:
// a flood over one would take minutes.
func runningServer(t *testing.T) http.Handler {
	t.Helper()
	app, err := caddy.ActiveContext().AppIfConfigured("http")
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range app.(*caddyhttp.App).Servers {
		return server
	}
	t.Fatal("no server runs")
	return nil
}

// run sends the requests from number first on. Of a long flood so many come
// from addresses that share a place in a limit that some are refused.
func run(t *testing.T, server http.Handler, f flood, first, length int) {
	t.Helper()
	for i := first; i < first+length; i++ {
		r := f.request(i)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:5000", i>>16, i>>8&255, i&255)
		w := &discarder{header: make(http.Header)}
		server.ServeHTTP(w, r)
		if w.status != f.status && (w.status != http.StatusTooManyRequests || i < floodWarm+floodBriefly) {
			t.Fatalf("request %d, %s: status %d, want %d", i, r.URL, w.status, f.status)
		}
	}
}

// heap is how many bytes are in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools of the first have let go
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

type discarder struct {
	header http.Header
	status int
}

func (d *discarder) Header() http.Header         { return d.header }
func (d *discarder) WriteHeader(status int)      { d.status = status }
func (d *discarder) Write(p []byte) (int, error) { return len(p), nil }

func get(path string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func post(path, body string, header ...string) *http.Request {
	r := get(path, header...)
	r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	return r
}

func (s *site) tokenFloods() []flood {
	s.Helper()
	token := strings.TrimPrefix(s.machine("").header.Get("Authorization"), "Bearer ")
	keys, err := runningApp(s.T).open()
	if err != nil {
		s.Fatal(err)
	}
	genuine := func(i int) string {
		id := wallet.WalletID{byte(i), byte(i >> 8), byte(i >> 16), 1}
		token, err := keys.ring.Mint(wallet.Claims{Wallet: id, Generation: 1, Issued: time.Now(), Expires: time.Now().Add(time.Hour)})
		if err != nil {
			s.Fatal(err)
		}
		return token
	}
	forged := func(i int) string { return fmt.Sprintf("%s%08d%s", token[:len(token)-20], i, token[len(token)-12:]) }
	var quoted challengeJSON
	s.decode([]byte(s.stranger().get("/articles/1").body), &quoted)
	return []flood{
		{"forged tokens", func(i int) *http.Request { return get("/articles/1", "Authorization", "Bearer "+forged(i)) }, 401, 0},
		{"forged cookies", func(i int) *http.Request { return get("/articles/1", "Cookie", "paywall="+forged(i)) }, 402, 0},
		{"genuine tokens of no wallet", func(i int) *http.Request { return get("/articles/1", "Authorization", "Bearer "+genuine(i)) }, 401, 2 * 90},
		{"forged receipts", func(i int) *http.Request {
			return get("/articles/1", "Cookie", fmt.Sprintf("paywall-receipt=%0*d", 75, i))
		}, 402, 0},
		{"forged quotes", func(i int) *http.Request {
			body := fmt.Sprintf(`{"quote":"%s%06d","offer":"view"}`, quoted.Quote[:len(quoted.Quote)-6], i)
			return post(page.PayPath, body, "Authorization", "Bearer "+token)
		}, 400, 0},
		{"malformed vouchers", func(i int) *http.Request {
			return post(page.RedeemPath, fmt.Sprintf(`{"code":"%d"}`, i))
		}, 422, 0},
		{"wrong vouchers", func(i int) *http.Request {
			return post(page.RedeemPath, `{"code":"`+wrongVoucher(s.T)+`"}`)
		}, 422, 0},
	}
}

func (s *site) headerFloods() []flood {
	same := func(header string, value func(i int) string, status int) flood {
		return flood{"values of " + header, func(i int) *http.Request { return get("/articles/1", header, value(i)) }, status, 0}
	}
	return []flood{
		same("Accept", func(i int) string { return fmt.Sprintf("text/html;level=%d,application/json;q=0.%d", i, i%1000) }, 402),
		same("Accept-Language", func(i int) string { return fmt.Sprintf("x-%d,it;q=0.%d", i, i%1000) }, 402),
		same("Origin", func(i int) string { return fmt.Sprintf("https://%d.example", i) }, 402),
		same("Sec-Purpose", func(i int) string { return fmt.Sprintf("prefetch;x=%d", i) }, 402),
		{"hosts", func(i int) *http.Request { return get(fmt.Sprintf("http://%d.example/articles/1", i)) }, 402, 0},
		{"pages", func(i int) *http.Request {
			return get(fmt.Sprintf("/articles/%d/%0*d", i, 500, i), "Accept", "text/html")
		}, 402, 0},
		{"queries", func(i int) *http.Request { return get(fmt.Sprintf("/articles/1?lang=%d&x=eyJ%d", i, i)) }, 402, 0},
		{"methods", func(i int) *http.Request {
			r := get("/articles/1")
			r.Method = fmt.Sprintf("M%d", i)
			return r
		}, 402, 0},
		{"addresses below /.paywall/", func(i int) *http.Request { return get(fmt.Sprintf("/.paywall/%d", i)) }, 404, 0},
		{"cursors", func(i int) *http.Request { return get(fmt.Sprintf("/.paywall/wallet?cursor=%d", i)) }, 401, 0},
	}
}
