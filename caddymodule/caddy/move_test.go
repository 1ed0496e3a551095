package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// summary is what caddy paywall export and import say of a history.
type summary struct {
	Operations, Wallets            int
	Money, Site, Funding, Currency string
}

// The server is killed while wallets spend, and its ledger moved to another
// directory before it comes back, several times. Whatever was acknowledged is
// there, once, and what was in doubt is one payment when it is sent again
// (invariants 1 and 3 to 7).
func TestALedgerMovesAfterKill9(t *testing.T) {
	seed := killSeed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	dirs := t.TempDir()
	site := newServer(t, func(port, admin string) string {
		return strings.Replace(press(port, admin), "{\n", "{\n\tpaywall {\n\t\tledger local "+filepath.Join(dirs, "0")+"\n\t}\n", 1)
	})
	site.start()
	wallets := make([]*spender, spenders)
	for i := range wallets {
		wallets[i] = newSpender(site)
	}
	for round := range 3 {
		site.spendUntilKilled(wallets, random, (round+1)*pagesEachRound)
		file := filepath.Join(dirs, fmt.Sprint("history-", round))
		var exported, imported summary
		site.move(&exported, "export", "--file", file, "--config", site.config)
		site.reconfigure(filepath.Join(dirs, fmt.Sprint(round)), filepath.Join(dirs, fmt.Sprint(round+1)))
		site.move(&imported, "import", "--file", file, "--config", site.config)
		if exported != imported || exported.Wallets != spenders {
			t.Fatalf("the export says %+v, and the import %+v", exported, imported)
		}
		site.start()
		if found := site.verify(); found.Site != exported.Site || found.Funding != exported.Funding || found.Wallets != exported.Wallets {
			t.Fatalf("invariant 1: the books are %+v, and %+v was imported", found, imported)
		}
		for _, p := range wallets {
			p.resolve()
			p.compare(p.history())
			p.readAgain()
		}
		t.Logf("round %d: %+v", round, exported)
	}
	if found := site.verify(); found.Entries < leastEntries {
		t.Errorf("only %d entries were made, so little was proved", found.Entries)
	}
	// From the running server too, into the command's own default of a Caddyfile.
	file := filepath.Join(dirs, "history-running")
	var exported, imported summary
	site.operator(&exported, "export", "--file", file)
	site.reconfigure(filepath.Join(dirs, "3"), filepath.Join(dirs, "4"))
	if site.move(&imported, "import", "--file", file); imported != exported {
		t.Errorf("the export says %+v, and the import %+v", exported, imported)
	}
	site.verify()
}

// move runs caddy paywall export or import in the folder of the configuration.
func (s *server) move(into *summary, args ...string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, s.program, append([]string{"paywall", "--json"}, args...)...)
	command.Env, command.Dir = s.environment(), filepath.Dir(s.config)
	var said transcript
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		s.Fatalf("caddy paywall %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		s.Fatalf("caddy paywall %s prints no JSON: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// reconfigure replaces a text of the configuration.
func (s *server) reconfigure(from, to string) {
	s.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.Fatal(err)
	}
	changed := strings.Replace(string(text), from+"\n", to+"\n", 1)
	if changed == string(text) {
		s.Fatalf("the configuration has no %s:\n%s", from, text)
	}
	if err := os.WriteFile(s.config, []byte(changed), 0o600); err != nil {
		s.Fatal(err)
	}
}
