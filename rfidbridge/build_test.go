package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// mostBytes is what fits a Raspberry Pi Zero's card and patience.
const mostBytes = 10_000_000

// The program is built as it is shipped, for the small machines that kiosks are.
func TestTheProgramFitsSmallMachines(t *testing.T) {
	for name, machine := range map[string][]string{
		"Raspberry Pi Zero": {"GOARCH=arm", "GOARM=6"}, "Raspberry Pi 4": {"GOARCH=arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "rfidbridge")
			build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-w -s", "-o", program, ".")
			build.Env = append(os.Environ(), append(machine, "GOOS=linux", "CGO_ENABLED=0")...)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			info, err := os.Stat(program)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > mostBytes {
				t.Errorf("it has %d bytes, and may have %d", info.Size(), mostBytes)
			}
			t.Logf("%.1f MB", float64(info.Size())/1e6)
		})
	}
}
