package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	modulePath = "github.com/caddy-paywall/caddy-paywall/caddymodule"
	kioskPath  = "github.com/caddy-paywall/caddy-paywall/rfidbridge"
)

// buildFlags are those of make build, so that what is measured is what is
// shipped, and the build cache is shared.
var buildFlags = []string{"-trimpath", "-tags", "nobadger,nomysql,nopgx", "-ldflags", "-w -s"}

// programs are the paths of what is measured.
type programs struct {
	bare, paywall, upstream string
}

// build builds the programs into dir.
func build(ctx context.Context, dir string) (programs, error) {
	args := append([]string{"build"}, buildFlags...)
	args = append(args, "-o", dir+string(filepath.Separator),
		modulePath+"/bench/bare", modulePath+"/caddy", modulePath+"/bench/upstream")
	command := exec.CommandContext(ctx, "go", args...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return programs{}, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return programs{
		bare:     filepath.Join(dir, "bare"),
		paywall:  filepath.Join(dir, "caddy"),
		upstream: filepath.Join(dir, "upstream"),
	}, nil
}
