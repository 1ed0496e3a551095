package command

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/bridge"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
)

// What a kiosk's state directory has.
const (
	identityFile = "identity.json"
	journalFile  = "journal"
)

// stateDir is where a kiosk keeps its key and its journal.
func stateDir() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" { // of systemd
		return dir
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "rfidbridge"
	}
	return filepath.Join(dir, "rfidbridge")
}

func runKiosk(ctx context.Context, flags *flag.FlagSet, args []string) error {
	file := flags.String("config", "/etc/rfidbridge/kiosk.json", "the kiosk's configuration")
	state := flags.String("state", stateDir(), "where the kiosk keeps its key and its journal")
	if err := parse(flags, args); err != nil {
		return err
	}
	config, err := bridge.Load(*file)
	if err != nil {
		return err
	}
	id, err := client.Load(filepath.Join(*state, identityFile))
	if err != nil {
		return err
	}
	j, err := journal.Open(filepath.Join(*state, journalFile))
	if err != nil {
		return err
	}
	defer j.Close()
	b, err := bridge.New(config, id, j, version(), slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	return b.Run(ctx)
}

const modulePath = "github.com/caddy-paywall/caddy-paywall"

// version is that of this module, whichever program it is in.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	all := append(info.Deps, &info.Main)
	if i := slices.IndexFunc(all, func(m *debug.Module) bool { return m.Path == modulePath }); i >= 0 {
		return all[i].Version
	}
	return "unknown"
}
