package caddymodule

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// validated is what caddy validate says of a configuration.
func validated(t *testing.T, caddyfile string) error {
	t.Helper()
	config, err := adapt(caddyfile)
	if err != nil {
		t.Fatalf("%v in\n%s", err, caddyfile)
	}
	var parsed caddy.Config
	if err := json.Unmarshal(config, &parsed); err != nil {
		t.Fatal(err)
	}
	return caddy.Validate(&parsed)
}

func settled(t *testing.T, l RedisLedger) *RedisLedger {
	t.Helper()
	if err := l.Provision(caddy.Context{}); err != nil {
		t.Fatalf("%+v: %v", l, err)
	}
	return &l
}

func TestARedisURLSaysWhatAddressAndPasswordSay(t *testing.T) {
	for url, want := range map[string]RedisLedger{
		"redis://a":                        {Addresses: []string{"a:6379"}},
		"redis://a:1":                      {Addresses: []string{"a:1"}},
		"redis://a:1/":                     {Addresses: []string{"a:1"}},
		"redis://a:1/2":                    {Addresses: []string{"a:1"}, DB: 2},
		"redis://[::1]":                    {Addresses: []string{"[::1]:6379"}},
		"redis://u:p%40%2F@a":              {Addresses: []string{"a:6379"}, Username: "u", Password: "p@/"},
		"redis://:p@a":                     {Addresses: []string{"a:6379"}, Password: "p"},
		"rediss://u@a:1":                   {Addresses: []string{"a:1"}, Username: "u", TLS: new(RedisTLS)},
		"unix:///run/redis.sock":           {Addresses: []string{"/run/redis.sock"}},
		"unix://u:p@/run/redis.sock?db=12": {Addresses: []string{"/run/redis.sock"}, Username: "u", Password: "p", DB: 12},
	} {
		got, same := settled(t, RedisLedger{URL: url}).store, settled(t, want).store
		if got.options.Addresses[0] != same.options.Addresses[0] || got.options.Password != same.options.Password ||
			got.options.Username != same.options.Username || got.options.DB != same.options.DB || (got.options.TLS == nil) != (same.options.TLS == nil) {
			t.Errorf("%s is %+v", url, got.options)
		}
		if got.options.URL != "" {
			t.Errorf("%s: the client library reads the url itself", url)
		}
	}
}

// A mistake in a secret ends up in any part of what is written, so no error shows
// any part of it.
func TestNoErrorOfARedisLedgerShowsAPassword(t *testing.T) {
	const secret = "hunter2"
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("PAYWALL_TEST_EMPTY", "")
	t.Setenv("PAYWALL_TEST_REDIS", "redis://u:"+secret+"/@a:x")
	t.Setenv("PAYWALL_TEST_PASSWORD", secret)
	for lines, cure := range map[string]string{
		"url redis://:" + secret + "#1@a":                                                     "percent-encoded",
		"url redis://:12#" + secret + "@a":                                                    "percent-encoded",
		"url redis://:1/" + secret + "@a":                                                     "percent-encoded",
		"url redis://:1?" + secret + "@a":                                                     "percent-encoded",
		"url redis://u:" + secret + "%zz@a":                                                   "percent-encoded",
		"url redis://u:" + secret + "@a:port":                                                 "percent-encoded",
		"url redis://u:" + secret + "@a/db":                                                   "percent-encoded",
		"url redis://u:" + secret + "@a/-1":                                                   "percent-encoded",
		"url redis://u:" + secret + "@a?pool_size=1":                                          "percent-encoded",
		"url redis://u:" + secret + "@/1":                                                     "percent-encoded",
		"url " + secret + "@a:1":                                                              "percent-encoded",
		"url http://u:" + secret + "@a":                                                       "percent-encoded",
		"url unix://u:" + secret + "@host/path":                                               "percent-encoded",
		"url unix://u:" + secret + "@/path?x=1":                                               "percent-encoded",
		"url {env.PAYWALL_TEST_REDIS}":                                                        "percent-encoded",
		"url redis://:{" + secret + "}@a":                                                     "placeholder",
		"url {env.PAYWALL_TEST_UNSET}":                                                        "PAYWALL_TEST_UNSET",
		"url {env.PAYWALL_TEST_EMPTY}":                                                        "PAYWALL_TEST_EMPTY",
		"url redis://u:" + secret + "@a\npassword x":                                          "leave out",
		"url redis://u:" + secret + "@a\ntls":                                                 "rediss://",
		"address redis://:" + secret + "@a:1":                                                 "address 1",
		"address a:1 " + secret + "@a:1":                                                      "address 2",
		"address a":                                                                           "host:port",
		"address a:0":                                                                         "host:port",
		"address a:66000":                                                                     "host:port",
		"address :1":                                                                          "host:port",
		"address {env.PAYWALL_TEST_UNSET}":                                                    "PAYWALL_TEST_UNSET",
		"address a:1 b:1":                                                                     "cluster, or sentinel",
		"address a:1\npassword {" + secret + "}":                                              `{env.NAME}`,
		"address a:1\npassword {env.A}{" + secret + "}":                                       `{env.NAME}`,
		"address a:1\npassword {env.PAYWALL_TEST_UNSET}":                                      "PAYWALL_TEST_UNSET",
		"address a:1\npassword {env.PAYWALL_TEST_EMPTY}":                                      "PAYWALL_TEST_EMPTY",
		"address a:1\npassword {file." + dir + "/missing}":                                    "missing",
		"address a:1\npassword {file." + write("e", "\n") + "}":                               "empty",
		"address a:1\nusername {env.PAYWALL_TEST_UNSET}":                                      "username",
		"address a:1\nsentinel m {\npassword {" + secret + "}\n}":                             "sentinel: password",
		"address a:1\nsentinel m\ncluster":                                                    "exclude each other",
		"address a:1\ncluster\ndb 1":                                                          "only database 0",
		"address a:1\npassword {env.PAYWALL_TEST_PASSWORD}\nname a/b":                         "must be of letters",
		"address a:1\npassword {env.PAYWALL_TEST_PASSWORD}\ntimeout 3s":                       "50ms to 2s",
		"address a:1\ntimeout 49ms":                                                           "50ms to 2s",
		"address a:1\nkeep 7d":                                                                "give archive",
		"address a:1\narchive " + dir + "\nkeep 1h":                                           "must be 2h0m0s at least",
		"address a:1\ntls {\nca /not/there\n}":                                                "tls: ca: open /not/there",
		"address a:1\ntls {\nca " + write("ca", secret) + "\n}":                               "no certificate in PEM",
		"address a:1\ntls {\ncert " + write("c", "c") + "\n}":                                 "cert and key belong together",
		"address a:1\ntls {\ncert " + write("c", "c") + "\nkey " + write("k", secret) + "\n}": "cert and key",
	} {
		err := validated(t, "{\nadmin off\n"+redisOption(lines)+"\n}\nhttp://127.0.0.1:1 {\npaywall /a 0.10\n}")
		if err == nil || !strings.Contains(err.Error(), "paywall: ") || !strings.Contains(err.Error(), cure) {
			t.Errorf("%s\n  says %v\n  want %q", lines, err, cure)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s\n  shows the password: %v", lines, err)
		}
	}
}

// caddy validate runs beside a server, and where there is no Redis.
func TestValidatingARedisLedgerAsksNoServer(t *testing.T) {
	asked := make(chan struct{}, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if conn, err := l.Accept(); err == nil {
			conn.Close()
			asked <- struct{}{}
		}
	}()
	archive := t.TempDir() + "/archive"
	if err := validated(t, "{\nadmin off\n"+redisOption("address "+l.Addr().String()+"\narchive "+archive)+"\n}\nhttp://127.0.0.1:1 {\npaywall /a 0.10\n}"); err != nil {
		t.Error(err)
	}
	if exists(archive) || openLedgers() != 0 {
		t.Error("the archive has been made, or a ledger opened")
	}
	select {
	case <-asked:
		t.Error("the server was asked")
	case <-time.After(50 * time.Millisecond):
	}
}

// The store key tells every two clients apart, also by secrets and the contents of
// files, and shows none.
func TestAChangedSecretMakesAnotherStore(t *testing.T) {
	dir := t.TempDir()
	password, ca := filepath.Join(dir, "password"), filepath.Join(dir, "ca.pem")
	rewrite := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(password, "hunter1")
	rewrite(ca, newCertificate(t))
	base := func() RedisLedger {
		return RedisLedger{
			Addresses: []string{"a:1"}, Username: "u", Password: "{file." + password + "}", TLS: &RedisTLS{CA: ca},
		}
	}
	first := settled(t, base())
	if again := settled(t, base()); again.StoreKey() != first.StoreKey() {
		t.Error("a reload without a change would be another store")
	}
	keys := map[string]string{first.StoreKey(): "the first"}
	differs := func(what string, l RedisLedger) {
		t.Helper()
		key := settled(t, l).StoreKey()
		if other, taken := keys[key]; taken {
			t.Errorf("%s is the same store as %s", what, other)
		}
		keys[key] = what
	}
	for what, change := range map[string]func(l *RedisLedger){
		"another address":       func(l *RedisLedger) { l.Addresses = []string{"b:1"} },
		"another user":          func(l *RedisLedger) { l.Username = "v" },
		"another database":      func(l *RedisLedger) { l.DB = 1 },
		"without TLS":           func(l *RedisLedger) { l.TLS = nil },
		"another server name":   func(l *RedisLedger) { l.TLS.ServerName = "x" },
		"the system's roots":    func(l *RedisLedger) { l.TLS.CA = "" },
		"a master":              func(l *RedisLedger) { l.Sentinel = &RedisSentinel{Master: "m"} },
		"a Sentinel's password": func(l *RedisLedger) { l.Sentinel = &RedisSentinel{Master: "m", Password: "hunter3"} },
		"a cluster":             func(l *RedisLedger) { l.Cluster = true },
		"another name":          func(l *RedisLedger) { l.Name = "x" },
		"shards":                func(l *RedisLedger) { l.Shards = 2 },
		"strict":                func(l *RedisLedger) { l.Durability = "strict" },
		"assumed":               func(l *RedisLedger) { l.AssumeDurable = true },
		"another timeout":       func(l *RedisLedger) { l.Timeout = caddy.Duration(2 * time.Second) },
		"an archive":            func(l *RedisLedger) { l.Archive = dir },
		"an archive that keeps": func(l *RedisLedger) { l.Archive, l.Keep = dir, caddy.Duration(3*time.Hour) },
	} {
		l := base()
		change(&l)
		differs(what, l)
	}
	rewrite(password, "hunter2")
	differs("a new password in the same file", base())
	rewrite(ca, newCertificate(t))
	differs("a new certificate in the same file", base())

	// Whoever prints the pooled value, as the pool itself does in a panic, prints
	// no secret.
	p := &pooledLedger{store: first}
	for _, text := range []string{fmt.Sprintf("%#v", p), fmt.Sprintf("%+v", p), fmt.Sprintf("%#v %+v %v", first, first, *first), first.StoreKey()} {
		if strings.Contains(text, "hunter") {
			t.Errorf("the password is in %s", text)
		}
	}
}

// newCertificate is a certificate in PEM that signs itself.
func newCertificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	made, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}))
}
