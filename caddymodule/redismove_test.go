package caddymodule

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet/history"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A site that grows takes its money along to Redis, and back to a disk: what was
// paid for is free, vouchers and tokens work, and the sums are the same (invariants
// 1, 4 and 7).
func TestALedgerMovesToRedisAndBack(t *testing.T) {
	server := redistest.Start(t)
	s := startSite(t, magazine)
	m, code := s.machine("20.00"), s.voucher("5.00")
	m.get("/articles/1").wants(http.StatusOK)
	m.post("/.paywall/pay", map[string]any{"path": "/articles/404"}).wants(http.StatusOK)
	m.get("/articles/404").wants(http.StatusNotFound) // refunded
	m.post("/.paywall/pay", map[string]any{"path": "/research/1"}).wants(http.StatusOK)
	m.get("/research/1").wants(http.StatusOK)
	report, balance := s.operator("report"), m.balance()
	for _, ledger := range []string{
		"ledger redis {\naddress " + server.Addr() + "\nshards 3\narchive " + t.TempDir() + "\n}",
		"ledger local " + filepath.Join(t.TempDir(), "back"),
	} {
		file := moveFile(t)
		exported, config := s.operator("export", "--file", file), configuration(t, ledger)
		if imported := s.operator("import", "--file", file, "--config", config); imported != exported {
			t.Errorf("the export prints\n%s\nand the import\n%s", exported, imported)
		}
		if _, err := s.tryOperator("import", "--file", file, "--config", config); !errors.Is(err, history.ErrNotEmpty) {
			t.Errorf("the second import says %v", err)
		}
		wantsNoError(t, s.tryLoad("paywall {\n"+ledger+"\n}", magazine))
		s.proveConservation()
		if got := s.operator("report"); got != report {
			t.Errorf("the report was\n%s\nand is\n%s", report, got)
		}
		m.wantsBalance(balance)
		m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
		m.get("/research/1").wants(http.StatusOK).wantsHeader("Paywall-Visits", "")
	}
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": code}).wants(http.StatusOK)
	m.get("/research/2").wants(http.StatusOK).wantsHeader("Paywall-Visits", "8")
}
