package paywall_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	modulePath = "github.com/caddy-paywall/caddy-paywall"
	caddyPath  = "github.com/caddyserver/caddy/v2"
)

// rooms is the rule which package may import which: what the packages of a
// top-level folder may use of the module's other folders, also through others.
// A folder that is not here may use nothing, so that a new one has to be added
// on purpose. A path stands for that package alone: the paywall verifies the cards
// that a kiosk has read, and so both know what a card proves and what a kiosk says, and
// say the same to who has tapped.
//
// rfidbridge/command is the one package that comes with all that it uses: it is the kiosk's
// whole program, and "caddy paywall rfid" runs it. What the edge imports by name is still
// as above, so that no request is served with a part of that program.
var rooms = map[string][]string{
	"caddymodule": {
		"meter", "wallet", "rfidbridge/card", "rfidbridge/card/issue", "rfidbridge/card/ndef", "rfidbridge/uid", "rfidbridge/wire",
		"rfidbridge/words", kioskProgram,
	},
	"meter":      {"wallet"},
	"wallet":     {},
	"rfidbridge": {"wallet"},
}

// besides is what a single package may use that its room may not: the benchmark is a kiosk
// and its cards, beside a Caddy that is another process.
var besides = map[string]string{"caddymodule/bench": "rfidbridge"}

const kioskProgram = "rfidbridge/command"

// edge is the one room that may know Caddy.
const edge = "caddymodule"

// fragile modules break the builds of whoever combines plugins when two of
// them want different versions, so nobody here imports them by name but for
// tests, which no build takes along.
var fragile = []string{"github.com/quic-go/", "github.com/caddyserver/certmagic"}

// listed is a package as go list -json prints it.
type listed struct {
	ImportPath string
	Imports    []string // directly, by files that are no tests
	Deps       []string // directly and through others
}

func TestEachRoomImportsOnlyWhatTheRuleAllows(t *testing.T) {
	packages := listPackages(t)
	for _, p := range packages {
		for _, breach := range p.breaches() {
			t.Errorf("%s %s", p.ImportPath, breach)
		}
	}
	for _, room := range []string{"caddymodule", "caddymodule/caddy", "meter", "wallet", "wallet/local"} {
		if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == modulePath+"/"+room }) {
			t.Errorf("go list does not know %s, so nothing was proved about it", room)
		}
	}
}

func TestTheImportRuleFindsEveryBreach(t *testing.T) {
	const ours = modulePath + "/"
	for name, c := range map[string]struct {
		from, imports string
		forbidden     bool
	}{
		"the edge uses a wallet engine":      {"caddymodule", ours + "wallet/local", false},
		"the edge uses Caddy":                {"caddymodule", caddyPath + "/modules/caddyhttp", false},
		"a package of the edge uses meter":   {"caddymodule/page", ours + "meter", false},
		"meter uses amounts":                 {"meter", ours + "wallet", false},
		"an engine uses the contract":        {"wallet/local", ours + "wallet", false},
		"the kiosk uses tokens":              {"rfidbridge", ours + "wallet", false},
		"the edge verifies cards":            {"caddymodule/kiosk", ours + "rfidbridge/card", false},
		"the edge says the same as kiosks":   {"caddymodule", ours + "rfidbridge/words", false},
		"the edge speaks with kiosks":        {"caddymodule", ours + "rfidbridge/wire", false},
		"the edge has the kiosk's program":   {"caddymodule", ours + "rfidbridge/command", false},
		"anything uses the standard library": {"newroom", "net/http", false},
		"anything uses its own packages":     {"newroom", ours + "newroom/part", false},

		"meter uses the edge":            {"meter", ours + "caddymodule", true},
		"meter uses a page of the edge":  {"meter", ours + "caddymodule/page", true},
		"wallet uses meter":              {"wallet", ours + "meter", true},
		"an engine uses meter":           {"wallet/local", ours + "meter", true},
		"an engine uses the edge":        {"wallet/local", ours + "caddymodule", true},
		"wallet uses Caddy":              {"wallet", caddyPath, true},
		"an engine uses a part of Caddy": {"wallet/local", caddyPath + "/caddyconfig", true},
		"the kiosk uses Caddy":           {"rfidbridge", caddyPath, true},
		"the kiosk uses meter":           {"rfidbridge", ours + "meter", true},
		"the edge uses the kiosk":        {"caddymodule", ours + "rfidbridge", true},
		"the edge reads cards itself":    {"caddymodule", ours + "rfidbridge/pcsc", true},
		"the edge uses virtual cards":    {"caddymodule/kiosk", ours + "rfidbridge/card/virtual", true},
		"the benchmark taps cards":       {"caddymodule/bench", ours + "rfidbridge/tap", false},
		"its parts tap cards":            {"caddymodule/bench/scale", ours + "rfidbridge/tap", true},
		"a new room uses wallet":         {"newroom", ours + "wallet", true},
		"a new room uses Caddy":          {"newroom", caddyPath, true},
		"a room with a similar name":     {"wallets", ours + "wallet", true},
		"the root uses wallet":           {"", ours + "wallet", true},
		"the edge imports QUIC":          {"caddymodule", "github.com/quic-go/quic-go/http3", true},
		"the edge imports certmagic":     {"caddymodule", "github.com/caddyserver/certmagic", true},
	} {
		p := listed{strings.TrimSuffix(ours+c.from, "/"), []string{c.imports}, []string{c.imports}}
		if found := p.breaches(); (len(found) > 0) != c.forbidden {
			t.Errorf("%s: the rule finds %q", name, found)
		}
	}
}

func TestTheKiosksProgramComesWithWhatItUses(t *testing.T) {
	const program, readers = modulePath + "/" + kioskProgram, modulePath + "/rfidbridge/pcsc"
	for name, c := range map[string]struct {
		p         listed
		forbidden bool
	}{
		"the edge runs it":               {listed{modulePath + "/caddymodule", []string{program}, []string{program, readers}}, false},
		"a program has the edge":         {listed{modulePath + "/caddymodule/caddy", nil, []string{program, readers}}, false},
		"a part of it is used by name":   {listed{modulePath + "/caddymodule", []string{program, readers}, []string{program, readers}}, true},
		"a part of it comes without it":  {listed{modulePath + "/caddymodule", nil, []string{readers}}, true},
		"another room runs it":           {listed{modulePath + "/meter", []string{program}, []string{program, readers}}, true},
		"it brings along a room besides": {listed{modulePath + "/caddymodule", []string{program}, []string{program, modulePath + "/newroom"}}, true},
	} {
		if found := c.p.breaches(); (len(found) > 0) != c.forbidden {
			t.Errorf("%s: the rule finds %q", name, found)
		}
	}
}

// breaches says what the package may not import and does.
func (p listed) breaches() (found []string) {
	room, _ := roomOf(p.ImportPath)
	for _, dependency := range p.Deps {
		other, ours := roomOf(dependency)
		switch {
		case ours && (p.comesAlong(dependency) || besides[strings.TrimPrefix(p.ImportPath, modulePath+"/")] == other):
		case ours && other != room && !slices.Contains(rooms[room], other) &&
			!slices.Contains(rooms[room], strings.TrimPrefix(dependency, modulePath+"/")):
			found = append(found, "uses "+dependency+", which the rule in imports_test.go does not allow "+room)
		case !ours && room != edge && within(dependency, caddyPath):
			found = append(found, "uses "+dependency+": only "+edge+" may know Caddy")
		}
	}
	for _, imported := range p.Imports {
		for _, prefix := range fragile {
			if strings.HasPrefix(imported, prefix) {
				found = append(found, "imports "+imported+", a version of which every other plugin would have to share")
			}
		}
	}
	return found
}

// comesAlong reports whether a dependency is one of the kiosk's program, which the edge
// has whole, and not one that the package imports by name.
func (p listed) comesAlong(dependency string) bool {
	other, _ := roomOf(dependency)
	program, _ := roomOf(modulePath + "/" + kioskProgram)
	room, _ := roomOf(p.ImportPath)
	return room == edge && other == program && slices.Contains(p.Deps, modulePath+"/"+kioskProgram) && !slices.Contains(p.Imports, dependency)
}

// roomOf is the top-level folder of a package of this module; the module's own
// root has none.
func roomOf(importPath string) (room string, ours bool) {
	if !within(importPath, modulePath) {
		return "", false
	}
	inside := strings.TrimPrefix(strings.TrimPrefix(importPath, modulePath), "/")
	room, _, _ = strings.Cut(inside, "/")
	return room, true
}

// within reports whether a package is that of a path, or below it.
func within(importPath, path string) bool {
	return importPath == path || strings.HasPrefix(importPath, path+"/")
}

// listPackages asks the go tool, so that build tags, files of other systems and
// what is imported through others are judged as a build judges them.
func listPackages(t *testing.T) (packages []listed) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", "./...")
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("what go list prints is no JSON: %v", err)
		}
		packages = append(packages, p)
	}
}
