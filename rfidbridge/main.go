package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/bridge"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/simulate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "rfidbridge:", err)
		os.Exit(1)
	}
}

// commands are what the program can do.
var commands = map[string]func(ctx context.Context, flags *flag.FlagSet, args []string) error{
	"enrol":    enrol,
	"run":      runKiosk,
	"simulate": runSimulation,
}

const usage = `rfidbridge makes a machine a kiosk of a paywall.

  rfidbridge enrol    -site <address> -code <code>   once, with a code of "caddy paywall kiosk enrol <name>"
  rfidbridge run      -config <file>                 watches readers, and opens what is paid for
  rfidbridge simulate -site <address> -code <code>   a virtual card and kiosk in the browser, without hardware

Each command has -help.
`

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return flag.ErrHelp
	}
	command, known := commands[args[0]]
	if !known {
		fmt.Fprint(os.Stderr, usage)
		return fmt.Errorf("there is no command %q", args[0])
	}
	return command(ctx, flag.NewFlagSet("rfidbridge "+args[0], flag.ContinueOnError), args[1:])
}

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

const identityFile = "identity.json"

func enrol(ctx context.Context, flags *flag.FlagSet, args []string) error {
	site := flags.String("site", "", "the paywall's address, such as https://news.example")
	code := flags.String("code", "", "the code that the operator was given")
	state := flags.String("state", stateDir(), "where the kiosk keeps its key and its journal")
	if err := parse(flags, args); err != nil {
		return err
	}
	id, err := client.Enrol(ctx, *site, *code, filepath.Join(*state, identityFile), nil)
	if err == nil {
		fmt.Println("This machine is now", id.String()+".")
	}
	return err
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
	j, err := journal.Open(filepath.Join(*state, "journal"))
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

// version is that of the module, or of its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

func runSimulation(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var o simulate.Options
	flags.StringVar(&o.Site, "site", "http://localhost:8402", "the paywall's address")
	flags.StringVar(&o.Code, "code", "", "a code of caddy paywall kiosk enrol (not needed the second time)")
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:8403", "where the page is shown")
	flags.StringVar(&o.State, "state", filepath.Join(stateDir(), "simulation"), "where the virtual kiosk and card are kept")
	if err := parse(flags, args); err != nil {
		return err
	}
	return simulate.Run(ctx, o, func(address string) {
		fmt.Println("The card and the kiosk are at " + address + ". Stop them with Ctrl-C.")
	})
}

// parse reads the flags of a command that takes no arguments.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes flags alone, and not %q", flags.Name(), strings.Join(flags.Args(), " "))
	}
	return nil
}
