package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

func init() {
	caddy.RegisterModule(tornModule{})
	caddy.RegisterModule(mutedModule{})
}

// tornModule is a ledger on a disk that fails while it is read: ledger test_torn.
type tornModule struct{}

func (tornModule) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "paywall.ledgers.test_torn", New: func() caddy.Module { return new(tornModule) }}
}

func (*tornModule) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

func (*tornModule) StoreKey() string { return "torn" }

func (*tornModule) OpenLedger(log *slog.Logger, _ bool) (wallet.Ledger, error) {
	ledger, err := (&LocalLedger{Dir: dataPath("torn")}).OpenLedger(log, false)
	return tornLedger{ledger}, err
}

type tornLedger struct{ wallet.Ledger }

// History tells more than the connection's buffers hold, and then fails.
func (tornLedger) History(_ context.Context, yield func(history.Deed) error) error {
	for i := range 100_000 {
		charge := wallet.Charge{ID: wallet.OpID{1, byte(i)}, Rule: "news", Resource: fmt.Sprint("news:/", i)}
		if err := yield(history.Deed{Time: time.UnixMilli(int64(i)), Op: charge}); err != nil {
			return err
		}
	}
	return wallet.ErrUnavailable
}

// mutedModule is an engine that can neither tell its history nor take one: ledger
// test_muted.
type mutedModule struct{}

func (mutedModule) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "paywall.ledgers.test_muted", New: func() caddy.Module { return new(mutedModule) }}
}

func (*mutedModule) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

func (*mutedModule) StoreKey() string { return "muted" }

func (*mutedModule) OpenLedger(log *slog.Logger, _ bool) (wallet.Ledger, error) {
	ledger, err := (&LocalLedger{Dir: dataPath("muted")}).OpenLedger(log, false)
	return struct{ wallet.Ledger }{ledger}, err
}

// moveFile is the path of a file in a folder of its own.
func moveFile(t *testing.T) string { return filepath.Join(t.TempDir(), "paywall.history") }

// configuration writes a configuration whose paywall has these options.
func configuration(t *testing.T, options string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Caddyfile")
	text := "{\npaywall {\n" + options + "\n}\n}\nlocalhost {\npaywall /articles/* 0.10\n}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// leavesNothing checks that neither a file nor a part of one is there.
func leavesNothing(t *testing.T, file string) {
	t.Helper()
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) > 0 {
		t.Errorf("the folder has %v, %v", left, err)
	}
}

// The ledger of a running site is exported and imported into another directory,
// and the site goes on there: what was paid for is free, vouchers and tokens work,
// and the sums are the same (invariants 1, 4 and 7).
func TestASiteGoesOnWithItsMovedLedger(t *testing.T) {
	s := startSite(t, magazine)
	m, code := s.machine("20.00"), s.voucher("5.00")
	m.get("/articles/1").wants(http.StatusOK)
	m.post("/.paywall/pay", map[string]any{"path": "/articles/404"}).wants(http.StatusOK)
	m.get("/articles/404").wants(http.StatusNotFound)
	m.post("/.paywall/pay", map[string]any{"path": "/research/1"}).wants(http.StatusOK)
	m.get("/research/1").wants(http.StatusOK)
	report, verified := s.operator("report"), s.operator("verify", "--json")
	file, elsewhere := moveFile(t), "ledger local "+filepath.Join(t.TempDir(), "elsewhere")
	exported := s.operator("export", "--file", file)
	for _, wanted := range []string{"wallets              1", "in wallets and held  9.90 USD", "earned               10.10 USD", "funding              -20.00 USD"} {
		if !strings.Contains(exported, wanted) {
			t.Errorf("%q is not in\n%s", wanted, exported)
		}
	}
	config := configuration(t, elsewhere)
	if imported := s.operator("import", "--file", file, "--config", config); imported != exported {
		t.Errorf("the export prints\n%s\nand the import\n%s", exported, imported)
	}
	if _, err := s.tryOperator("import", "--file", file, "--config", config); !errors.Is(err, history.ErrNotEmpty) {
		t.Errorf("the second import says %v", err)
	}
	if err := s.tryLoad("paywall {\n"+elsewhere+"\n}", magazine); err != nil {
		t.Fatal(err)
	}
	if now := s.operator("report"); now != report {
		t.Errorf("the report was\n%s\nand is\n%s", report, now)
	}
	if now := s.operator("verify", "--json"); now != verified {
		t.Errorf("the books were\n%s\nand are\n%s", verified, now)
	}
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	m.get("/research/2").wants(http.StatusOK)
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": code}).wants(http.StatusOK)
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Balance", "14.80 USD")
}

// While Caddy is stopped, the ledger is exported by its configuration; while it
// runs, it says so (invariant 1).
func TestAStoppedLedgerIsExportedByItsConfiguration(t *testing.T) {
	s := startSite(t, magazine)
	s.machine("1.00").get("/articles/1").wants(http.StatusOK)
	file, config := moveFile(t), configuration(t, "")
	if _, err := s.tryOperator("export", "--file", file, "--config", config); err == nil || !strings.Contains(err.Error(), "stop Caddy first, or leave out --config") {
		t.Errorf("beside a running Caddy it says %v", err)
	}
	leavesNothing(t, file)
	running := s.operator("export", "--file", file, "--json")
	s.load("respond free") // no paywall, and so nobody has the ledger
	eventually(t, "the ledger is closed", func() bool { return openLedgers() == 0 })
	if stopped := s.operator("export", "--file", file, "--config", config, "--json"); stopped != running || !strings.Contains(stopped, `"money":"0.90"`) {
		t.Errorf("stopped it prints\n%s\nand running\n%s", stopped, running)
	}
	if _, err := s.tryOperator("export", "--file", file, "--config", configuration(t, "ledger local "+t.TempDir())); err == nil {
		t.Error("a ledger that is not there is exported")
	}
	s.load(magazine)
}

// An export that breaks off is an error, and leaves neither half a file nor a
// damaged one in the place of the last (invariant 1).
func TestAnExportThatBreaksOffKeepsTheFileBefore(t *testing.T) {
	s := startSite(t, magazine)
	file := moveFile(t)
	for engine, why := range map[string]string{"test_torn": "broke off", "test_muted": "cannot tell its history"} {
		if err := s.tryLoad("paywall {\nledger "+engine+"\n}", magazine); err != nil {
			t.Fatal(err)
		}
		if out, err := s.tryOperator("export", "--file", file); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, %s", engine, err, out)
		}
		leavesNothing(t, file)
	}
	s.load(magazine)
	s.operator("export", "--file", file)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.tryLoad("paywall {\nledger test_torn\n}", magazine); err != nil {
		t.Fatal(err)
	}
	if _, err := s.tryOperator("export", "--file", file); err == nil {
		t.Error("it has not failed")
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the file was\n%s\nand is\n%s, %v", before, after, err)
	}
	s.load(magazine)
}

// Whatever is wrong is said before anything is in the ledger (invariant 1).
func TestAnImportThatCannotBeIsRefusedInWords(t *testing.T) {
	s := startSite(t, magazine)
	s.machine("1.00")
	file, fresh := moveFile(t), filepath.Join(t.TempDir(), "fresh")
	s.operator("export", "--file", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	half := moveFile(t)
	if err := os.WriteFile(half, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	free := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(free, []byte("localhost {\nrespond free\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := configuration(t, "ledger local "+fresh)
	for _, c := range []struct {
		says string
		args []string
	}{
		{"file", nil},
		{"no such file", []string{"--file", file + ".gone", "--config", config}},
		{"no such file", []string{"--file", file, "--config", config + ".gone"}},
		{"it was cut", []string{"--file", half, "--config", config}},
		{"no header", []string{"--file", config, "--config", config}},
		{"another currency", []string{"--file", file, "--config", configuration(t, "currency EUR\nledger local "+fresh)}},
		{"has no paywall", []string{"--file", file, "--config", free}},
		{"takes no import", []string{"--file", file, "--config", configuration(t, "ledger test_muted")}},
		{"in use", []string{"--file", file, "--config", configuration(t, "")}},
		{"unrecognized config adapter", []string{"--file", file, "--config", config, "--adapter", "nginx"}},
	} {
		if out, err := s.tryOperator(append([]string{"import"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, %s; want %q", c.args, err, out, c.says)
		}
		if exists(fresh) {
			t.Fatalf("%v: there is a ledger now", c.args)
		}
	}
}

// The keys are not needed to move a ledger, and whoever does need not have them.
func TestAMoveAsksForNoKeys(t *testing.T) {
	const options = "secret {env.PAYWALL_TEST_ABSENT}\nsigning_keys {file./nonexistent}\ncurrency EUR\nledger local "
	dir := t.TempDir()
	l, err := loadOffline(configuration(t, options+dir), "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.done()
	if l.store.StoreKey() != "local:"+dir || l.currency.String() != "EUR" {
		t.Errorf("it is %s in %s", l.store.StoreKey(), l.currency)
	}
}
