package main_test

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// Two servers of the built program with nothing in common but Redis and the keys:
// as on two machines, each has a data directory of its own.

// startTogether starts so many servers on one Redis.
func startTogether(t *testing.T, redis *redistest.Server, count int) (servers []*server) {
	t.Helper()
	keys := t.TempDir()
	for _, name := range []string{"secret", "signing_key"} {
		var key [32]byte
		if _, err := cryptorand.Read(key[:]); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(keys, name), []byte(base64.StdEncoding.EncodeToString(key[:])), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range count {
		s := newServer(t, func(port, admin string) string {
			return fmt.Sprintf(`{
	admin %s
	persist_config off
	log {
		level ERROR
	}
	paywall {
		ledger redis {
			address %s
		}
		secret {file.%[3]s/secret}
		signing_keys {file.%[3]s/signing_key}
	}
}
http://localhost:%[4]s {
	bind 127.0.0.1
	paywall /articles/* 0.10
	paywall /research/* {
		bundle 10 1.00
	}
	respond "PAGE {path}"
}
`, admin, redis.Addr(), keys, port)
		})
		s.start()
		servers = append(servers, s)
	}
	return servers
}

// at is the same spender, asking for the same address, whose requests another server
// gets, as behind a load balancer.
func (p *spender) at(s *server) *spender {
	other := newVisiting(p.server)
	other.wallet, other.token = p.wallet, p.token
	address := "127.0.0.1" + strings.TrimPrefix(s.url, "http://localhost")
	other.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return other
}

// newVisiting is a spender without a wallet.
func newVisiting(s *server) *spender {
	return &spender{
		server: s, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
		redeemed: make(map[string]bool), bundles: make(map[string]bool),
		views: make(map[string]purchase), visits: make(map[string]purchase),
	}
}

// ask sends JSON and decodes the answer.
func (p *spender) ask(path string, fields map[string]any, into any) {
	p.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		p.Fatal(err)
	}
	status, _, text, err := p.send(http.MethodPost, path, body)
	if err != nil || status/100 != 2 || json.Unmarshal(text, into) != nil {
		p.Fatalf("%s is answered %d %v\n%s", path, status, err, text)
	}
}

// all asks for pages at both servers, all at once, and counts the answers by status.
func all(paths int, path func(i int) string, at ...*spender) map[int]int {
	var mu sync.Mutex
	var answers sync.WaitGroup
	counts := make(map[int]int)
	for i := range paths {
		p := at[i%len(at)]
		answers.Go(func() {
			status, header, body, err := p.send(http.MethodGet, path(i), nil)
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
			if paid := string(body) == "PAGE "+path(i); err != nil || paid != (status == http.StatusOK) {
				p.Errorf("%s is answered %d %v %v\n%.300s", path(i), status, header, err, body)
			}
		})
	}
	answers.Wait()
	return counts
}

// A bundle of ten visits is ten visits, however many machines sell, and a wallet
// that was made at one pays at the other (invariants 2 to 4).
func TestTwoServersSellOneBundleOnce(t *testing.T) {
	both := startTogether(t, redistest.Start(t), 2)
	here := newRichSpender(both[0])
	there := here.at(both[1])
	if err := here.try(attempt{path: payPath, id: here.newID(), what: "/research/1"}); err != nil {
		t.Fatal(err)
	}
	letter := func(i int) string { return fmt.Sprintf("/research/%d", i) }
	if counts := all(100, letter, here, there); counts[http.StatusOK] != 10 || counts[http.StatusPaymentRequired] != 90 {
		t.Errorf("a hundred requests for ten visits are answered %v", counts)
	}
	// The unit that is left is ten articles, at whichever.
	article := func(i int) string { return fmt.Sprintf("/articles/%d", i) }
	if counts := all(100, article, here, there); counts[http.StatusOK] != 10 || counts[http.StatusPaymentRequired] != 90 {
		t.Errorf("a hundred requests for ten articles are answered %v", counts)
	}
	if one, other := both[0].verify(), both[1].verify(); one.Site != "2.00" || other.Site != one.Site || other.Entries != one.Entries {
		t.Errorf("the books are %+v here and %+v there", one, other)
	}
	// What was paid here is read there.
	if counts := all(100, article, there); counts[http.StatusOK] != 10 {
		t.Errorf("articles that are paid for are answered %v at the other", counts)
	}
}

// From the moment that a revocation or a freeze is acknowledged by one server,
// nothing is spent at the other, though it may have seen the wallet rich a moment
// ago.
func TestATokenThatOneServerRevokesSpendsNothingAtTheOther(t *testing.T) {
	both := startTogether(t, redistest.Start(t), 2)
	for status, stop := range map[int]func(p *spender, recovery string){
		http.StatusUnauthorized: func(p *spender, recovery string) {
			var again struct{ Token string }
			p.ask("/.paywall/recover", map[string]any{"code": recovery, "revoke": true}, &again)
		},
		http.StatusForbidden: func(p *spender, _ string) {
			var frozen any
			p.operator(&frozen, "wallet", "freeze", p.wallet)
		},
	} {
		name := map[int]string{http.StatusUnauthorized: "revoked", http.StatusForbidden: "frozen"}[status]
		t.Run(name, func(t *testing.T) {
			here := newVisiting(both[0])
			var made struct {
				Wallet, Token string
				RecoveryCode  string `json:"recovery_code"`
			}
			here.ask("/.paywall/wallets", nil, &made)
			here.wallet, here.token = made.Wallet, made.Token
			var redeemed any
			here.ask(redeemPath, map[string]any{"code": both[1].vouchers("50.00", 1)[0]}, &redeemed)
			there := here.at(both[1])
			// Some spend all the while, so that it happens between their requests.
			var spending sync.WaitGroup
			end := make(chan struct{})
			for reader := range 4 {
				spending.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-end:
							return
						default:
						}
						if _, _, _, err := there.send(http.MethodGet, fmt.Sprintf("/articles/%s-%d-%d", name, reader, i), nil); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			early := all(20, func(i int) string { return fmt.Sprintf("/articles/%s-early-%d", name, i) }, there)
			stop(here, made.RecoveryCode)
			acknowledged := len(here.history().Entries)
			late := all(100, func(i int) string { return fmt.Sprintf("/articles/%s-late-%d", name, i) }, there)
			close(end)
			spending.Wait()
			if early[http.StatusOK] != 20 || late[status] != 100 {
				t.Errorf("it is answered %v before and %v after it is %s", early, late, name)
			}
			if n := len(here.history().Entries); n != acknowledged {
				t.Errorf("the wallet has %d entries, %d of them from after it was %s", n, n-acknowledged, name)
			}
		})
	}
	both[0].verify()
}

// One machine is lost: the other goes on selling, and knows what was paid for at it.
func TestAServerGoesOnWhenTheOtherIsKilled(t *testing.T) {
	redis := redistest.Start(t)
	both := startTogether(t, redis, 2)
	here := newRichSpender(both[0])
	article := func(i int) string { return fmt.Sprintf("/articles/%d", i) }
	if counts := all(10, article, here); counts[http.StatusOK] != 10 {
		t.Fatalf("ten articles are answered %v", counts)
	}
	both[0].kill()
	there := here.at(both[1])
	if counts := all(20, article, there); counts[http.StatusOK] != 20 {
		t.Errorf("twenty articles, ten of them paid for at the other, are answered %v", counts)
	}
	both[0].start()
	if counts := all(20, article, here, there); counts[http.StatusOK] != 20 {
		t.Errorf("twenty articles that are paid for are answered %v", counts)
	}
	if found := both[0].verify(); found.Site != "2.00" {
		t.Errorf("the site has earned %s for twenty articles", found.Site)
	}
}
