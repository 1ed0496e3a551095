package caddymodule

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	rfidcmd "github.com/caddy-paywall/caddy-paywall/rfidbridge/command"
)

// rfid runs caddy paywall rfid with the arguments.
func rfid(args ...string) (string, error) {
	root := &cobra.Command{Use: appName, SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(rfidCommand())
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append([]string{"rfid"}, args...))
	err := root.Execute()
	return out.String(), err
}

func TestTheKiosksProgramIsInCaddy(t *testing.T) {
	out, err := rfid()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rfidcmd.All {
		if !strings.Contains(out, c.Name) || !strings.Contains(out, c.Short) {
			t.Errorf("it does not say how to %s:\n%s", c.Name, out)
		}
		if _, err := rfid(c.Name, "--help"); err != nil {
			t.Errorf("the help of %s: %v", c.Name, err)
		}
	}
	if out, err := rfid("watch"); err == nil || !strings.Contains(err.Error(), `no command "watch"`) {
		t.Errorf("a mistake is answered by %v\n%s", err, out)
	}
	s := startSiteWith(t, withKiosks, magazine)
	state := t.TempDir()
	if _, err := rfid("enrol", "-site", s.url, "-code", s.enrolmentCode("lobby"), "-state", state); err != nil || !exists(filepath.Join(state, "identity.json")) {
		t.Errorf("enrolling a machine: %v", err)
	}
	if out := s.operator("kiosk", "list"); !strings.Contains(out, "lobby") {
		t.Errorf("the operator's kiosks are\n%s", out)
	}
}
