package caddymodule

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// BenchmarkRequest measures one request through Caddy's server without the
// network: of a file of 1 KB without a paywall, and of the same file behind one.
// The difference is what the paywall costs. The paid row waits for its own sync,
// which a server under load shares among its requests.
func BenchmarkRequest(b *testing.B) {
	bare := newBench(b, "file_server")
	b.Run("bare", func(b *testing.B) { bare.run(b, http.StatusOK, bare.request("/articles/1")) })
	priced := newBench(b, "paywall /articles/* 0.10 {\nwindow 1h\n}\nfile_server")
	token, receipt := priced.reader(b)
	b.Run("unpriced", func(b *testing.B) { priced.run(b, http.StatusOK, priced.request("/free/1")) })
	for _, form := range []string{"text/html", "application/json", "text/plain"} {
		b.Run("challenge="+form, func(b *testing.B) {
			priced.run(b, http.StatusPaymentRequired, priced.request("/articles/1", "Accept", form, "Accept-Language", "en-US,en;q=0.9"))
		})
	}
	b.Run("again=token", func(b *testing.B) {
		priced.run(b, http.StatusOK, priced.request("/articles/1", "Authorization", "Bearer "+token))
	})
	b.Run("again=receipt", func(b *testing.B) {
		priced.run(b, http.StatusOK, priced.request("/articles/1", "Cookie", receiptCookie+"="+receipt))
	})
	views := 0
	b.Run("paid", func(b *testing.B) {
		priced.runEach(b, http.StatusOK, func() *http.Request {
			views++
			return priced.request(fmt.Sprintf("/articles/new/%d", views), "Authorization", "Bearer "+token)
		})
	})
}

// BenchmarkLines measures a request for a free page of a site with so many prices.
func BenchmarkLines(b *testing.B) {
	for _, lines := range []int{0, 1, 10, 100} {
		var prices strings.Builder
		for i := range lines {
			fmt.Fprintf(&prices, "paywall /articles/%d/* 0.10\n", i)
		}
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			s := newBench(b, prices.String()+"file_server")
			s.run(b, http.StatusOK, s.request("/free/1"))
		})
	}
}

// benchSite is a running Caddy that is asked without the network.
type benchSite struct {
	server *caddyhttp.Server
	app    *App
	host   string
}

func newBench(b *testing.B, directives string) *benchSite {
	b.Helper()
	return newBenchWith(b, "", directives)
}

// newBenchWith is newBench with global options.
func newBenchWith(b *testing.B, options, directives string) *benchSite {
	b.Helper()
	b.Setenv("XDG_DATA_HOME", b.TempDir())
	root := b.TempDir()
	for _, path := range []string{"articles/1", "free/1", "page"} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Repeat("ink ", 256)), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	s := &benchSite{host: freeAddress(b)}
	directives += "\nhandle /articles/new/* {\nrewrite * /page\nfile_server\n}"
	config, err := adapt(fmt.Sprintf("{\nadmin off\n%s\n}\nhttp://%s {\nroot %s\n%s\n}", options, s.host, root, directives))
	if err != nil {
		b.Fatal(err)
	}
	if err := caddy.Load(config, true); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			b.Error(err)
		}
	})
	http, err := caddy.ActiveContext().App("http")
	if err != nil {
		b.Fatal(err)
	}
	s.server = http.(*caddyhttp.App).Servers["srv0"]
	if app, err := caddy.ActiveContext().AppIfConfigured(appName); err == nil {
		s.app = app.(*App)
	}
	return s
}

// reader is a wallet with much money that has paid for /articles/1: its token,
// and its receipt.
func (s *benchSite) reader(b *testing.B) (token, receipt string) {
	b.Helper()
	k, err := s.app.open()
	if err != nil {
		b.Fatal(err)
	}
	ledger, err := s.app.lease()
	if err != nil {
		b.Fatal(err)
	}
	defer ledger.release()
	id, err := wallet.NewWalletID(s.app.random)
	if err != nil {
		b.Fatal(err)
	}
	ctx, resource := context.Background(), meter.Resource(s.host, "/articles/1")
	for _, did := range []func() (wallet.Receipt, error){
		func() (wallet.Receipt, error) {
			return ledger.CreateWallet(ctx, wallet.CreateWallet{ID: s.app.newID(), Wallet: id})
		},
		func() (wallet.Receipt, error) {
			return ledger.Transfer(ctx, wallet.Transfer{
				ID: s.app.newID(), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: 1_000_000 * wallet.Unit,
			})
		},
		func() (wallet.Receipt, error) {
			return ledger.Charge(ctx, wallet.Charge{
				ID: s.app.newID(), Wallet: id, Generation: 1, Rule: "/articles/*", Resource: resource, Price: 1, Window: time.Hour,
			})
		},
	} {
		if receipt, err := did(); err != nil || !receipt.Outcome.Done() {
			b.Fatalf("%v, %v", receipt.Outcome, err)
		}
	}
	now := s.app.now()
	token, err = k.ring.Mint(wallet.Claims{Wallet: id, Generation: 1, Issued: now, Expires: now.Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	return token, k.sealReceipt(id, resource, now.Add(time.Hour))
}

// request is a GET with header fields.
func (s *benchSite) request(path string, fields ...string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://"+s.host+path, nil)
	if err != nil {
		panic(err)
	}
	r.RequestURI, r.RemoteAddr = path, "127.0.0.1:40000"
	r.Header.Set("User-Agent", "bench")
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	return r
}

func (s *benchSite) run(b *testing.B, status int, r *http.Request) {
	kept := r.Header.Clone()
	s.runEach(b, status, func() *http.Request {
		r.Header = kept.Clone() // the paywall takes its own fields out
		return r
	})
}

func (s *benchSite) runEach(b *testing.B, status int, next func() *http.Request) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		w := &blind{header: make(http.Header, 8)}
		s.server.ServeHTTP(w, next())
		if w.status != status {
			b.Fatalf("status %d, want %d", w.status, status)
		}
	}
}

// blind is a response writer that keeps nothing but the status.
type blind struct {
	header http.Header
	status int
	room   [2048]byte
}

func (w *blind) Header() http.Header         { return w.header }
func (w *blind) WriteHeader(status int)      { w.status = status }
func (w *blind) Write(p []byte) (int, error) { return len(p), nil }

// ReadFrom takes a file as a connection does, without a buffer.
func (w *blind) ReadFrom(r io.Reader) (int64, error) {
	n, err := r.Read(w.room[:])
	return int64(n), err
}
