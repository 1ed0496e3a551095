package command

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestHelpListsEveryCommand(t *testing.T) {
	var said bytes.Buffer
	if err := help(&said); err != nil {
		t.Fatal(err)
	}
	for _, c := range All {
		if !strings.Contains(said.String(), "rfidbridge "+c.Name) || !strings.Contains(said.String(), c.Short) {
			t.Errorf("it does not say how to %s:\n%s", c.Name, said.String())
		}
	}
	for _, asked := range [][]string{nil, {"help"}, {"-h"}, {"--help"}} {
		if err := Program(t.Context(), asked); err != nil {
			t.Errorf("%q: %v", asked, err)
		}
	}
}

// A mistake is told, and does nothing.
func TestAMistakeInACommandIsRefused(t *testing.T) {
	state := t.TempDir()
	for want, args := range map[string][]string{
		`no command "watch"`: {"watch"},
		"flags alone":        {"enrol", "-state", state, "lobby"},
		"not defined":        {"run", "-colour", "red"},
		"address":            {"enrol", "-state", state, "-site", "lobby"},
		"card personalise":   {"card"},
		"card inspect":       {"card", "clone"},
		"no kiosk yet":       {"card", "reset", "-state", state},
		"takes flags":        {"card", "inspect", "now"},
		"no such file":       {"run", "-state", state, "-config", filepath.Join(state, "kiosk.json")},
	} {
		if err := Program(t.Context(), args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	for _, c := range All {
		if err := Program(t.Context(), []string{c.Name, "-help"}); err != nil {
			t.Errorf("the help of %s: %v", c.Name, err)
		}
	}
}

func TestUnderSystemdTheStateIsWhereTheUnitSays(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/var/lib/rfidbridge")
	if stateDir() != "/var/lib/rfidbridge" {
		t.Errorf("it is in %s", stateDir())
	}
}
