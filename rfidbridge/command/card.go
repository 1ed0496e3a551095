package command

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/issuing"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

var errCardTask = errors.New("say what is to become of cards: card personalise, card reset, or card inspect")

// issueCards is the command card.
func issueCards(ctx context.Context, flags *flag.FlagSet, args []string) error {
	desk := issuing.Desk{Say: func(line string) { fmt.Println(line) }, Now: time.Now, Random: rand.Reader}
	driver := reader.PCSC{Chips: true}
	flags.StringVar(&driver.Names, "reader", "*", "the name of the reader at pcscd, or a pattern such as 'ACS ACR1252*'")
	flags.StringVar(&driver.Socket, "socket", "", "of pcscd, where it is not the usual one")
	board := flags.String("pn532", "", "the serial line of a PN532 in place of pcscd's readers, such as /dev/ttyUSB0")
	flags.BoolVar(&desk.Once, "once", false, "end with the first card")
	state := flags.String("state", stateDir(), "where the kiosk keeps its key")
	task := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		task, args = args[0], args[1:]
	}
	if err := parse(flags, args); err != nil {
		return err
	}
	switch desk.Task = wire.Task(task); desk.Task {
	case wire.Personalise, wire.Reset:
		paywall, err := clientOf(*state)
		if err != nil {
			return err
		}
		desk.Paywall = paywall
	case "inspect":
		desk.Task = ""
	default:
		return errCardTask
	}
	fmt.Println("Lay down one card after the other. Ctrl-C ends it.")
	var on reader.Driver = driver
	if *board != "" {
		on = reader.PN532{Name: "PN532 " + *board, Path: *board, Chips: true}
	}
	err := desk.Run(ctx, on)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// clientOf is that of the kiosk that this machine is.
func clientOf(state string) (*client.Client, error) {
	id, err := client.Load(filepath.Join(state, identityFile))
	if err != nil {
		return nil, err
	}
	return client.New(id, nil)
}
