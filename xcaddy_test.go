package paywall_test

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/xcaddy"
)

const xcaddyTimeout = 5 * time.Minute // of a build with a cold cache on a small machine

// buildSettings is how xcaddy builds by default. Everything else that builds
// the program does the same, so that all of them share one build cache. The
// flags of the linker are no part of that, and -trimpath keeps them unwritten.
var buildSettings = map[string]string{
	"-trimpath":   "true",
	"-tags":       "nobadger,nomysql,nopgx",
	"CGO_ENABLED": "0",
}

// xcaddy.json is the JSON form of xcaddy.Builder. The command xcaddy does not
// read it; a program that builds Caddy does, as this test.
func TestXcaddyJSON(t *testing.T) {
	builder := readBuilder(t)
	if want := requiredVersion(t, caddyPath); builder.CaddyVersion != want {
		t.Errorf("xcaddy.json has Caddy %s, go.mod has %s", builder.CaddyVersion, want)
	}
	plugin := xcaddy.Dependency{PackagePath: modulePath + "/" + edge}
	if !slices.ContainsFunc(builder.Plugins, func(d xcaddy.Dependency) bool { return d.PackagePath == plugin.PackagePath }) {
		t.Fatalf("xcaddy.json has the plugins %v, and not %s", builder.Plugins, plugin.PackagePath)
	}
	if len(builder.Replacements) != 0 {
		t.Error("xcaddy.json replaces modules: xcaddy reads a relative path from a folder of its own, and an absolute one is nobody else's")
	}

	program := buildWithXcaddy(t, builder)
	wantBuildSettings(t, program)
	modules, err := exec.CommandContext(t.Context(), program, "list-modules").CombinedOutput()
	if err != nil {
		t.Fatalf("%s list-modules: %v\n%s", program, err, modules)
	}
	for _, module := range []string{"paywall", "http.handlers.paywall", "paywall.ledgers.local", "admin.api.paywall"} {
		if !slices.Contains(strings.Fields(string(modules)), module) {
			t.Errorf("the Caddy that xcaddy.json builds has no module %s:\n%s", module, modules)
		}
	}
}

// readBuilder decodes strictly: a misspelt field would silently build another
// Caddy.
func readBuilder(t *testing.T) (builder xcaddy.Builder) {
	t.Helper()
	text, err := os.ReadFile("xcaddy.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&builder); err != nil {
		t.Fatalf("xcaddy.json is not what xcaddy.Builder reads: %v", err)
	}
	return builder
}

// requiredVersion is the version of a module that go.mod asks for.
func requiredVersion(t *testing.T, module string) string {
	t.Helper()
	var selected struct{ Version string }
	text := goCommand(t, "list", "-m", "-json", module)
	if err := json.Unmarshal([]byte(text), &selected); err != nil {
		t.Fatalf("go list -m -json %s: %v in %s", module, err, text)
	}
	return selected.Version
}

// goCommand returns what the go tool prints.
func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// buildWithXcaddy builds what the builder says out of this working tree and
// returns the program.
func buildWithXcaddy(t *testing.T, builder xcaddy.Builder) (program string) {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	var output transcript
	builder.Replacements = []xcaddy.Replace{xcaddy.NewReplace(modulePath, root)}
	builder.Env = append(os.Environ(), "GOPROXY="+cacheBeforeProxies(t))
	builder.OnStep = func(step *xcaddy.StepEvent) error {
		_, err := io.Copy(&output, step.Output)
		return err
	}
	program = filepath.Join(t.TempDir(), "caddy")
	ctx, cancel := context.WithTimeout(t.Context(), xcaddyTimeout)
	defer cancel()
	began := time.Now()
	if err := builder.Build(ctx, program); err != nil {
		t.Fatalf("xcaddy: %v\n%s", err, output.String())
	}
	t.Logf("xcaddy took %v", time.Since(began).Round(time.Second))
	return program
}

// cacheBeforeProxies is a list of module proxies that begins with the modules
// on this machine: nearly all that xcaddy asks for is among them. It also ends
// the search for a released version of this module, which the replacement makes
// pointless, before a proxy is asked that refuses what it does not know.
func cacheBeforeProxies(t *testing.T) string {
	t.Helper()
	cache := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(goCommand(t, "env", "GOMODCACHE"), "cache", "download"))}
	return cache.String() + "," + goCommand(t, "env", "GOPROXY")
}

// wantBuildSettings reads the settings that the go tool has written into the
// program.
func wantBuildSettings(t *testing.T, program string) {
	t.Helper()
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, setting := range info.Settings {
		got[setting.Key] = setting.Value
	}
	for key, want := range buildSettings {
		if got[key] != want {
			t.Errorf("%s was built with %s=%q, want %q", program, key, got[key], want)
		}
	}
}

// transcript is what a program prints, kept to be shown if the test fails. It
// is safe for concurrent use.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
