package caddymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

func init() {
	caddy.RegisterModule(memoryLog{})
}

// memoryLog is a log writer that keeps everything: output test_memory.
type memoryLog struct{}

var logged struct {
	sync.Mutex
	bytes.Buffer
}

func (memoryLog) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.writers.test_memory", New: func() caddy.Module { return new(memoryLog) }}
}
func (memoryLog) String() string                      { return "test_memory" }
func (memoryLog) WriterKey() string                   { return "test_memory" }
func (memoryLog) OpenWriter() (io.WriteCloser, error) { return memoryLog{}, nil }
func (memoryLog) Close() error                        { return nil }
func (memoryLog) Write(p []byte) (int, error) {
	logged.Lock()
	defer logged.Unlock()
	return logged.Buffer.Write(p)
}

// takeLog is everything logged so far.
func takeLog() string {
	logged.Lock()
	defer logged.Unlock()
	defer logged.Reset()
	return logged.String()
}

// startLogged is startSite with every log at its most talkative, and with
// access logs.
func startLogged(t *testing.T, options, directives string) *site {
	t.Helper()
	s := startSite(t, "")
	s.loadLogged(options, directives)
	return s
}

// loadLogged replaces the running configuration and begins a new log.
func (s *site) loadLogged(options, directives string) {
	s.Helper()
	config, err := adapt(fmt.Sprintf("{\nadmin %s\n%s\n}\n%s {\nroot %s\n%s\n}", s.admin, options, s.url, s.root, directives))
	if err != nil {
		s.Fatal(err)
	}
	var tree map[string]any
	s.decode(config, &tree)
	tree["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{
		"level": "DEBUG", "writer": map[string]any{"output": "test_memory"}, "encoder": map[string]any{"format": "json"},
	}}}
	servers := tree["apps"].(map[string]any)["http"].(map[string]any)["servers"].(map[string]any)
	for _, server := range servers {
		server.(map[string]any)["logs"] = map[string]any{}
	}
	if config, err = json.Marshal(tree); err != nil {
		s.Fatal(err)
	}
	takeLog()
	s.loadJSON(config)
}

// Whatever is asked, and whatever fails, no secret is in a log, in an error or
// in the configuration that the admin endpoint shows.
func TestNoSecretIsEverLoggedOrShown(t *testing.T) {
	const root = "9f3c61d07be28a54c5d1e6f8037b492ad86e1c3f5047b9a2e8d6135f7c90ab4e"
	t.Setenv("PAYWALL_TEST_SECRET", root)
	const options = "paywall {\nsecret {env.PAYWALL_TEST_SECRET}\nledger test_faulty\n}"
	s := startLogged(t, options, magazine)
	secrets := map[string]string{"the root secret": root, "the operator's credential": s.kept(operatorFile)}
	v := s.stranger()
	var made, again madeJSON
	s.decode([]byte(v.post("/.paywall/wallets", nil).wants(http.StatusCreated).body), &made)
	voucher, unused := s.voucher("5.00"), s.voucher("5.00")
	m := v.with("Authorization", "Bearer "+made.Token)
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": voucher}).wants(http.StatusOK)
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": voucher}).wants(http.StatusConflict)
	m.get("/articles/1").wants(http.StatusOK)
	m.get("/articles/404").wants(http.StatusNotFound)
	m.get("/articles/1?token=" + "x").wants(http.StatusOK)
	for _, operation := range []string{"standing", "charge", "hold", "settle"} {
		mend := breakLine(t, fault{lost: operation})
		m.get("/articles/2")
		m.do(http.MethodPost, "/articles/2", "", "")
		m.post("/.paywall/pay", map[string]any{"path": "/articles/2"})
		mend()
	}
	mend := breakLine(t, fault{lost: "redeem"})
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": unused}).wants(http.StatusServiceUnavailable)
	mend()
	m.do(http.MethodPost, "/.paywall/vouchers/redeem", "application/json", `{"code":`+unused).wants(http.StatusBadRequest).saysNot(unused)
	m.do(http.MethodPost, "/.paywall/vouchers/redeem", "application/json", `{"`+unused+`":1}`).wants(http.StatusBadRequest).saysNot(unused)
	v.post("/.paywall/recover", map[string]any{"code": made.RecoveryCode + "x"}).saysNot(made.RecoveryCode)
	s.decode([]byte(v.post("/.paywall/recover", map[string]any{"code": made.RecoveryCode, "revoke": true}).body), &again)
	m.get("/articles/1").wants(http.StatusUnauthorized).saysNot(made.Token)
	reader := v.with("Cookie", "paywall="+again.Token+"; paywall-recovery="+again.RecoveryCode).with("Accept", "text/html")
	reader.get("/articles/1").wants(http.StatusOK)
	reader.get("/.paywall/wallet").wants(http.StatusOK)
	if _, err := s.tryOperator("voucher", "void", unused+"x"); err == nil || strings.Contains(err.Error(), unused) {
		t.Errorf("voiding a mistyped voucher: %v", err)
	}
	s.operator("voucher", "void", unused)
	dump := s.adminGet("/config/")
	if err := s.tryLoad(options, magazine); err != nil { // so that a reload is logged too
		t.Fatal(err)
	}

	for name, secret := range map[string]string{
		"the token": made.Token, "the new token": again.Token, "a voucher": voucher, "an unused voucher": unused,
		"the recovery code": made.RecoveryCode, "the new recovery code": again.RecoveryCode,
	} {
		secrets[name] = secret
	}
	log, metrics := takeLog(), s.adminGet("/metrics")
	for name, secret := range secrets {
		if secret == "" {
			t.Fatalf("%s is empty", name)
		}
		for where, text := range map[string]string{"log": log, "configuration": dump, "metrics": metrics} {
			if strings.Contains(text, secret) || strings.Contains(text, strings.ReplaceAll(secret, "-", "")) {
				t.Errorf("%s is in the %s", name, where)
			}
		}
	}
	for _, wanted := range []string{`"handled request"`, `"received request"`, "/articles/404", "ledger unavailable", "REDACTED"} {
		if !strings.Contains(log, wanted) {
			t.Errorf("the log is without %s, so that this test has not looked at all of it", wanted)
		}
	}
}

// adminGet reads from the admin endpoint.
func (s *site) adminGet(path string) string {
	s.Helper()
	resp, err := http.Get("http://" + s.admin + path)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
	}
	return string(body)
}

func TestTheKeptSecretsAreReadableByTheirOwnerOnly(t *testing.T) {
	s := startSite(t, magazine)
	s.machine("1.00")
	for _, name := range []string{secretFile, keyringFile, operatorFile} {
		info, err := os.Stat(dataPath(name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
	}
	for what, v := range map[string]any{"the keys": runningApp(t).given, "the secret": runningApp(t).given.secret} {
		if text := fmt.Sprintf("%v %+v %#v", v, v, v); strings.Contains(text, s.kept(secretFile)) {
			t.Errorf("%s prints itself", what)
		}
	}
	if k, err := runningApp(t).open(); err != nil || strings.Contains(fmt.Sprintf("%v %+v %#v", k.ring, k.quotes, k.vouchers), s.kept(secretFile)) {
		t.Errorf("the open keys print themselves, %v", err)
	}
}

// An empty, missing or known key would let anybody sign. The error says what to
// do and never holds the value.
func TestAKeyThatCannotBeUsedIsRefusedWithoutBeingShown(t *testing.T) {
	const short, readable = "c2hvcnRrZXlzaG9ydGtleQ", "cGFzc3dvcmQgcGFzc3dvcmQgcGFzc3dvcmQgcGFzc3dvcmQ"
	dir := t.TempDir()
	empty := dir + "/empty"
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PAYWALL_TEST_EMPTY", "")
	t.Setenv("PAYWALL_TEST_SHORT", short)
	t.Setenv("PAYWALL_TEST_READABLE", readable)
	for option, cure := range map[string]string{
		"secret {env.PAYWALL_TEST_UNSET}":          "",
		"secret {env.PAYWALL_TEST_EMPTY}":          "",
		"secret {env.PAYWALL_TEST_SHORT}":          "openssl rand -hex 32",
		"secret {env.PAYWALL_TEST_READABLE}":       "openssl rand -hex 32",
		"secret {file." + dir + "/missing}":        "",
		"secret {file." + empty + "}":              "",
		"secret {unknown.placeholder}":             "unknown.placeholder",
		"secret " + strings.Repeat("00", 32):       "openssl rand -hex 32",
		"signing_keys {env.PAYWALL_TEST_UNSET}":    "",
		"signing_keys {env.PAYWALL_TEST_SHORT}":    "must be 32",
		"signing_keys {env.PAYWALL_TEST_READABLE}": "",
		"signing_keys not-a-key":                   "key 1",
	} {
		config, err := adapt("{\nadmin off\npaywall {\n" + option + "\n}\n}\nhttp://127.0.0.1:1 {\npaywall /a 0.10\n}")
		if err != nil {
			t.Errorf("%s: %v", option, err)
			continue
		}
		var parsed caddy.Config
		if err := json.Unmarshal(config, &parsed); err != nil {
			t.Fatal(err)
		}
		err = caddy.Validate(&parsed)
		if err == nil || !strings.Contains(err.Error(), cure) || !strings.Contains(err.Error(), "paywall") {
			t.Errorf("%s: %v", option, err)
			continue
		}
		for _, value := range []string{short, readable, strings.Repeat("00", 32), "not-a-key"} {
			if strings.Contains(err.Error(), value) {
				t.Errorf("%s: the error holds the value: %v", option, err)
			}
		}
	}
}
