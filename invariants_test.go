package paywall_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every invariant that wallet/doc.go numbers is cited by a test, so that a
// reader finds the proof of each by its number.
func TestEveryInvariantIsCitedByATest(t *testing.T) {
	doc, err := os.ReadFile("wallet/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	numbered := regexp.MustCompile(`(?m)^//  (\d+)\. `).FindAllStringSubmatch(string(doc), -1)
	if len(numbered) == 0 {
		t.Fatal("wallet/doc.go numbers no invariants")
	}
	cited := citations(t)
	for _, match := range numbered {
		if n := match[1]; len(cited[n]) == 0 {
			t.Errorf("no test cites invariant %s", n)
		} else {
			t.Logf("invariant %s: %d files", n, len(cited[n]))
		}
	}
}

// citation is a mention of one or more invariants: "invariant 3", "invariants
// 1, 2 and 7".
var citation = regexp.MustCompile(`(?i)invariants?\s+(\d+(?:(?:,| and|, and)\s+\d+)*)`)

var number = regexp.MustCompile(`\d+`)

// citations maps the number of an invariant to the test files that cite it. The
// suite that every ledger passes is test code too.
func citations(t *testing.T) map[string][]string {
	t.Helper()
	cited := make(map[string][]string)
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isTestCode(path) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range citation.FindAllStringSubmatch(string(text), -1) {
			for _, n := range number.FindAllString(match[1], -1) {
				cited[n] = append(cited[n], path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cited
}

func isTestCode(path string) bool {
	path = filepath.ToSlash(path)
	return strings.HasSuffix(path, "_test.go") && path != "invariants_test.go" ||
		strings.HasPrefix(path, "wallet/ledgertest/") && strings.HasSuffix(path, ".go")
}
