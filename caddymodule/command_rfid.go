package caddymodule

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	rfidcmd "github.com/caddy-paywall/caddy-paywall/rfidbridge/command"
)

// rfidCommand is caddy paywall rfid: what the program rfidbridge does, for a machine that
// has this Caddy anyway. It talks HTTP to a paywall as that program does, and not to the
// admin endpoint.
func rfidCommand() *cobra.Command {
	all := make([]*cobra.Command, 0, len(rfidcmd.All))
	for _, c := range rfidcmd.All {
		all = append(all, &cobra.Command{
			Use: c.Name + " " + c.Flags, Short: c.Short, SilenceUsage: true, DisableFlagsInUseLine: true,
			DisableFlagParsing: true, // its flags are the same in both programs: those of package flag
			RunE: func(cmd *cobra.Command, args []string) error {
				ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
				defer stop()
				return c.Run(ctx, cmd.CommandPath(), args)
			},
		})
	}
	return group("rfid", "Makes this machine a kiosk: cards pay at it, and something opens", all...)
}
