package command

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
)

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
