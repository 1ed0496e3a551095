package caddymodule

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// column is the words of the lines of a table, from the second line on.
func column(table string, n int) (words []string) {
	for _, line := range strings.Split(strings.TrimSpace(table), "\n")[1:] {
		if fields := strings.Fields(line); len(fields) > n {
			words = append(words, fields[n])
		}
	}
	return words
}

func TestTheOperatorCreatesListsAndVoidsVouchers(t *testing.T) {
	s := startSite(t, magazine)
	printed := s.operator("voucher", "create", "--value", "5", "--count", "3", "--expires", "365d", "--note", "for the fair")
	codes := strings.Fields(strings.ReplaceAll(printed, "5.00 USD", ""))
	if len(codes) != 3 {
		t.Fatalf("the vouchers are\n%s", printed)
	}
	for _, code := range codes {
		if _, err := wallet.ParseVoucherCode(code); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
	m := s.machine("")
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": codes[0]}).wants(http.StatusOK)
	if out := s.operator("voucher", "void", codes[1], "--note", "lost"); !strings.Contains(out, "voucher  2  is  void") {
		t.Errorf("voiding by code prints %q", out)
	}
	if out := s.operator("voucher", "void", "3"); !strings.Contains(out, "voucher  3  is  void") {
		t.Errorf("voiding by serial number prints %q", out)
	}
	for _, again := range []string{codes[0], "1", codes[1], "2", "3", "4", "0", "-1", wrongVoucher(t), "x", ""} {
		if out, err := s.tryOperator("voucher", "void", "--", again); err == nil {
			t.Errorf("voiding %q prints %s", again, out)
		}
	}
	list := s.operator("voucher", "list")
	if states := strings.Join(column(list, 3), " "); states != "redeemed void void" || !strings.Contains(list, "for the fair") || !strings.Contains(list, "lost") {
		t.Errorf("the list is\n%s", list)
	}
	for _, code := range codes {
		if strings.Contains(list, code) {
			t.Errorf("the list shows a code:\n%s", list)
		}
	}
	var first, second voucherList
	s.decode([]byte(s.operator("voucher", "list", "--limit", "2", "--json")), &first)
	s.decode([]byte(s.operator("voucher", "list", "--limit", "2", "--json", "--cursor", first.Next)), &second)
	if len(first.Vouchers) != 2 || len(second.Vouchers) != 1 || second.Next != "" || second.Vouchers[0].Serial != 3 ||
		first.Vouchers[0].Wallet != m.id() || first.Vouchers[0].Redeemed == nil || first.Vouchers[1].State != "void" ||
		first.Vouchers[0].Expires == nil || time.Until(*first.Vouchers[0].Expires) < 364*24*time.Hour {
		t.Errorf("the pages are %+v and %+v", first, second)
	}
	if page := s.operator("voucher", "list", "--limit", "2"); !strings.Contains(page, "More: --cursor "+first.Next) {
		t.Errorf("the first page is\n%s", page)
	}
	m.wantsBalance("5.00")
}

func TestTheOperatorsMistakesAreRefused(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	for _, args := range [][]string{
		{"voucher", "create"}, {"voucher", "create", "--value", "x"}, {"voucher", "create", "--value", "1", "--count", "0"},
		{"voucher", "create", "--value", "1", "--count", "1001"}, {"voucher", "create", "--value", "1", "--expires", "soon"},
		{"voucher", "create", "--value", "1", "--expires", "-1h"}, {"voucher", "create", "--value", "1", "--note", strings.Repeat("x", 257)},
		{"voucher", "create", "--value", "1", "extra"}, {"voucher", "list", "--limit", "1001"}, {"voucher", "list", "--limit", "-1"},
		{"voucher", "list", "--cursor", "forged"}, {"voucher", "void"},
		{"wallet", "show"}, {"wallet", "show", "x"}, {"wallet", "show", "00000000-0000-4000-8000-000000000001"},
		{"wallet", "credit", m.id()}, {"wallet", "credit", "x", "1"}, {"wallet", "credit", "00000000-0000-4000-8000-000000000001", "1"},
		{"wallet", "freeze", "x"}, {"wallet", "freeze", "00000000-0000-4000-8000-000000000001"}, {"wallet", "list", "--cursor", "forged"},
		{"report", "--from", "yesterday"}, {"report", "--to", "2026-13-01"}, {"verify", "extra"},
	} {
		if out, err := s.tryOperator(args...); err == nil {
			t.Errorf("%v prints %s", args, out)
		} else if strings.Contains(err.Error(), "HTTP 5") {
			t.Errorf("%v: %v", args, err)
		}
	}
	m.wantsBalance("1.00")
	if list := s.operator("voucher", "list"); len(column(list, 0)) != 1 {
		t.Errorf("the vouchers are\n%s", list)
	}
}

func TestTheOperatorCreditsShowsAndFreezesWallets(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("")
	if out := s.operator("wallet", "credit", m.id(), "2.50", "--note", "for a broken page"); !strings.Contains(out, "2.50 USD") {
		t.Errorf("crediting prints %s", out)
	}
	m.get("/articles/1").wants(http.StatusOK)
	m.post("/.paywall/wallet/recovery", nil).wants(http.StatusOK)
	if out := s.operator("wallet", "freeze", m.id(), "--note", "odd pattern"); !strings.Contains(out, "frozen   true") {
		t.Errorf("freezing prints %s", out)
	}
	m.get("/articles/2").wants(http.StatusForbidden)
	if list := s.operator("wallet", "list"); !strings.Contains(list, m.id()) || !strings.Contains(list, "2.40 USD") || !strings.Contains(list, "frozen") {
		t.Errorf("the list is\n%s", list)
	}
	show := s.operator("wallet", "show", m.id())
	for _, wanted := range []string{"balance  2.40 USD", "frozen   true", "for a broken page", "odd pattern", "charge", "-0.10", "/articles/1", "rekey", "create"} {
		if !strings.Contains(show, wanted) {
			t.Errorf("%s is not in\n%s", wanted, show)
		}
	}
	var held operatorWallet
	s.decode([]byte(s.operator("wallet", "show", m.id(), "--json", "--limit", "2")), &held)
	if len(held.Entries) != 2 || held.Next == "" || !held.Frozen || held.Entries[0].Kind != "freeze" || held.Entries[0].Note != "odd pattern" {
		t.Errorf("the wallet is %+v", held)
	}
	s.operator("wallet", "freeze", m.id(), "--undo")
	m.get("/articles/2").wants(http.StatusOK)
	m.get("/.paywall/wallet/entries").wants(http.StatusOK).says("for a broken page").saysNot("odd pattern")
	var list operatorWallets
	s.decode([]byte(s.operator("wallet", "list", "--json")), &list)
	if len(list.Wallets) != 1 || list.Wallets[0].Wallet != m.id() || list.Wallets[0].Frozen || list.Wallets[0].Balance.Amount != "2.30" {
		t.Errorf("the list is %+v", list)
	}
}

// A command without the file of the credential says which file and whose.
func TestACommandWithoutTheCredentialSaysWhereItIs(t *testing.T) {
	s := startSite(t, magazine)
	kept := dataPath(operatorFile)
	if err := os.Rename(kept, kept+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.tryOperator("verify"); err == nil || !strings.Contains(err.Error(), kept) || !strings.Contains(err.Error(), "user that Caddy runs as") {
		t.Errorf("it says %v", err)
	}
	if err := os.Rename(kept+".away", kept); err != nil {
		t.Fatal(err)
	}
	other := *s
	other.admin = freeAddress(t)
	if _, err := other.tryOperator("verify"); err == nil || !strings.Contains(err.Error(), "no Caddy listens at "+other.admin) {
		t.Errorf("without a Caddy it says %v", err)
	}
}

// With --wait a script need not know when Caddy is up.
func TestACommandWaitsForCaddyToComeUp(t *testing.T) {
	s := startSite(t, magazine)
	s.admin = freeAddress(t)
	_, before := s.tryOperator("verify")
	done := make(chan error, 1)
	go func() {
		_, err := s.tryOperator("verify", "--wait", "10s")
		done <- err
	}()
	s.load(magazine)
	if err := <-done; err != nil || before == nil {
		t.Errorf("before it was up: %v; with --wait: %v", before, err)
	}
}

// Caddy's admin endpoint listens before the configuration runs: who asks then waits a
// little, is told to come again, and with --wait does.
func TestACommandWaitsForTheConfigurationToRun(t *testing.T) {
	s := startSite(t, magazine)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	endpoint, asked := http.NewServeMux(), make(chan struct{}, 1000)
	for _, route := range new(adminAPI).Routes() {
		endpoint.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			var refused caddy.APIError
			if errors.As(route.Handler.ServeHTTP(w, r), &refused) {
				http.Error(w, refused.Err.Error(), refused.HTTPStatus)
			}
		})
	}
	listening := httptest.NewServer(endpoint)
	defer listening.Close()
	early := *s
	early.admin = listening.Listener.Addr().String()
	if _, err := early.tryOperator("verify"); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), startingText) {
		t.Errorf("before the configuration runs: %v", err)
	}
	<-asked
	for _, wait := range []string{"0s", "10s"} {
		done := make(chan error, 1)
		go func() {
			_, err := early.tryOperator("verify", "--wait", wait)
			done <- err
		}()
		<-asked
		if wait != "0s" {
			<-asked // once in vain
		}
		s.load(magazine)
		if err := <-done; err != nil {
			t.Errorf("with --wait %s: %v", wait, err)
		}
		if err := caddy.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	s.load(magazine)
}

func TestTheReportAddsUpByPathAndDayWithRefunds(t *testing.T) {
	s := startSite(t, magazine)
	m, other := s.machine("20.00"), s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	other.get("/articles/1").wants(http.StatusOK)
	m.get("/articles/2").wants(http.StatusOK)
	m.post("/.paywall/pay", map[string]any{"path": "/articles/404"}).wants(http.StatusOK)
	m.get("/articles/404").wants(http.StatusNotFound).wantsHeader("Paywall-Refunded", "0.10 USD")
	m.post("/.paywall/pay", map[string]any{"path": "/research/1"}).wants(http.StatusOK)
	m.get("/research/1").wants(http.StatusOK)
	m.get("/research/2").wants(http.StatusOK)
	today := time.Now().UTC().Format(time.DateOnly)
	want := map[string]revenueJSON{
		"/articles/1":   {Day: today, Path: "/articles/1", Rule: "/articles/*", Sales: 2, Amount: "0.20"},
		"/articles/2":   {Day: today, Path: "/articles/2", Rule: "/articles/*", Sales: 1, Amount: "0.10"},
		"/articles/404": {Day: today, Path: "/articles/404", Rule: "/articles/*", Amount: "0.00"},
		"":              {Day: today, Rule: "/research/*", Sales: 1, Amount: "10.00"},
		"/research/1":   {Day: today, Path: "/research/1", Rule: "/research/*", Visits: 1, Amount: "0.00"},
		"/research/2":   {Day: today, Path: "/research/2", Rule: "/research/*", Visits: 1, Amount: "0.00"},
	}
	var rows []revenueJSON
	s.decode([]byte(s.operator("report", "--json", "--from", today, "--to", today)), &rows)
	for _, row := range rows {
		expected := want[row.Path]
		expected.Currency = "USD"
		if row.Path != "" {
			expected.Host = strings.TrimPrefix(s.url, "http://")
		}
		if row != expected {
			t.Errorf("the row is %+v, want %+v", row, expected)
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows: %+v", len(rows), rows)
	}
	table := s.operator("report")
	if !strings.Contains(table, "bundles of /research/*") || len(column(table, 0)) != len(want) {
		t.Errorf("the table is\n%s", table)
	}
	if none := s.operator("report", "--to", "2020-01-01"); len(column(none, 0)) != 0 {
		t.Errorf("of years ago:\n%s", none)
	}
}

func TestVerifySaysThatTheMoneyAddsUp(t *testing.T) {
	s := startSite(t, magazine)
	s.machine("1.00").get("/articles/1").wants(http.StatusOK)
	out := s.operator("verify")
	for _, wanted := range []string{"in wallets  0.90 USD", "earned      0.10 USD", "funding     -1.00 USD", "sum         0.00 USD", "The money adds up."} {
		if !strings.Contains(out, wanted) {
			t.Errorf("%s is not in\n%s", wanted, out)
		}
	}
	var audit auditJSON
	s.decode([]byte(s.operator("verify", "--json")), &audit)
	if !audit.OK || audit.Sum != "0.00" || audit.Wallets != 1 || audit.Differences == nil || strconv.FormatUint(audit.Entries, 10) != column("x\n"+out, 1)[0] {
		t.Errorf("the audit is %+v", audit)
	}
}

// A script with a typing mistake must not go on as if it had been done.
func TestAMistypedCommandFails(t *testing.T) {
	s := startSite(t, magazine)
	for _, words := range [][]string{{"vouchr"}, {"voucher", "crete"}, {"wallet", "thaw", "x"}, {"verify", "now"}} {
		if out, err := s.tryOperator(words...); err == nil {
			t.Errorf("caddy paywall %s prints %q and no error", strings.Join(words, " "), out)
		}
	}
}
