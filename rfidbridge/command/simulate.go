package command

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/simulate"
)

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
