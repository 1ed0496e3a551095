package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/command"
)

func systemFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("system", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unitOf reads a unit of systemd: settings by section.
func unitOf(t *testing.T, text string) map[string]map[string]string {
	t.Helper()
	unit, section := make(map[string]map[string]string), ""
	for n, line := range strings.Split(text, "\n") {
		switch name, value, setting := strings.Cut(line, "="); {
		case line == "" || line[0] == '#':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = line[1 : len(line)-1]
			unit[section] = make(map[string]string)
		case setting && section != "" && regexp.MustCompile(`^[A-Z][A-Za-z]+$`).MatchString(name) && value != "":
			if _, twice := unit[section][name]; twice {
				t.Errorf("line %d gives %s twice", n+1, name)
			}
			unit[section][name] = value
		default:
			t.Errorf("line %d is none of a unit: %q", n+1, line)
		}
	}
	return unit
}

// The unit starts what there is, as a user who may do what a kiosk does and no more.
func TestTheUnitStartsTheProgram(t *testing.T) {
	unit := unitOf(t, systemFile(t, "rfidbridge.service"))
	service := unit["Service"]
	argv := strings.Fields(service["ExecStart"])
	if len(argv) < 2 || filepath.Base(argv[0]) != "rfidbridge" || !isCommand(argv[1]) || !filepath.IsAbs(argv[0]) {
		t.Errorf("it starts %q", service["ExecStart"])
	}
	if service["User"] != "rfidbridge" || service["StateDirectoryMode"] != "0700" || service["StateDirectory"] == "" {
		t.Errorf("the key lies in %s (%s) of %s", service["StateDirectory"], service["StateDirectoryMode"], service["User"])
	}
	for _, setting := range []string{"NoNewPrivileges", "ProtectHome", "PrivateTmp"} {
		if service[setting] != "yes" {
			t.Errorf("%s is %q", setting, service[setting])
		}
	}
	if service["Restart"] != "always" || unit["Install"]["WantedBy"] == "" || !strings.Contains(unit["Unit"]["After"], "pcscd.socket") {
		t.Error("it does not come back by itself")
	}
}

func isCommand(name string) bool {
	return slices.ContainsFunc(command.All, func(c command.Command) bool { return c.Name == name })
}

// Each rule of udev says of which device it is, and gives it to the bridge alone.
func TestTheRulesOfUdevRead(t *testing.T) {
	match := regexp.MustCompile(`^(SUBSYSTEM|KERNEL|ATTRS\{id(Vendor|Product)\})=="[^"]+"$`)
	assign := regexp.MustCompile(`^(GROUP="rfidbridge"|MODE="0660"|SYMLINK\+="[a-z/-]+")$`)
	rules := 0
	for _, line := range strings.Split(systemFile(t, "70-rfidbridge.rules"), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		rules++
		parts := strings.Split(line, ", ")
		matches := slices.IndexFunc(parts, func(p string) bool { return !match.MatchString(p) })
		least, given := 3, 3
		if parts[0] == `SUBSYSTEM=="gpio"` { // all of the machine's, which are not found by a name
			least, given = 2, 2
		}
		if matches < least {
			t.Errorf("it does not say of which device it is: %s", line)
			continue
		}
		for _, p := range parts[matches:] {
			if !assign.MatchString(p) {
				t.Errorf("%q in %s", p, line)
			}
		}
		if len(parts) != matches+given {
			t.Errorf("it gives group, mode and name, where there is one, and no more: %s", line)
		}
	}
	if rules == 0 {
		t.Error("there is no rule")
	}
}

// polkit's rule lets the unit's user do what pcscd asks it for, and nobody else anything.
func TestTheRuleOfPolkitIsForTheUnitsUser(t *testing.T) {
	text := systemFile(t, "50-rfidbridge.rules")
	user := unitOf(t, systemFile(t, "rfidbridge.service"))["Service"]["User"]
	actions := regexp.MustCompile(`action\.id == "([^"]+)"`).FindAllStringSubmatch(text, -1)
	if len(actions) != 2 || actions[0][1] != "org.debian.pcsc-lite.access_pcsc" || actions[1][1] != "org.debian.pcsc-lite.access_card" {
		t.Errorf("it is about %v", actions)
	}
	if !strings.Contains(text, `subject.user == "`+user+`"`) || strings.Count(text, "polkit.Result.YES") != 1 || strings.Contains(text, "subject.isInGroup") {
		t.Error("it is not for the unit's user alone")
	}
	for _, pair := range []string{"()", "{}"} {
		if strings.Count(text, pair[:1]) != strings.Count(text, pair[1:]) {
			t.Errorf("its %s do not match", pair)
		}
	}
}
