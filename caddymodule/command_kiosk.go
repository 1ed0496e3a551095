package caddymodule

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// kioskCommand is caddy paywall kiosk enrol|list|disable.
func kioskCommand() *cobra.Command {
	enrol := subcommand("enrol <name> [--issuer]", "Makes a code with which one machine becomes the kiosk of a name", cobra.ExactArgs(1), enrolKiosk)
	enrol.Flags().Bool("issuer", false, "It may make blank cards the site's, and blank again; whoever runs it could learn their keys")
	list := subcommand("list [--taps]", "Lists kiosks, how they are, and their last taps", cobra.NoArgs, listKiosks)
	list.Flags().Bool("taps", false, "The last taps too, and what became of them")
	disable := subcommand("disable <name> [--undo]", "Stops a kiosk from doing anything, at once", cobra.ExactArgs(1), disableKiosk)
	disable.Flags().Bool("undo", false, "Let it go on")
	return group("kiosk", "Enrols, lists and disables kiosks", enrol, list, disable)
}

func enrolKiosk(cmd *cobra.Command, args []string) error {
	issuer, _ := cmd.Flags().GetBool("issuer")
	_, err := operate(cmd, "kiosks/enrol", operatorInput{Kiosk: args[0], Issuer: issuer}, func(w io.Writer, made kioskCode) {
		row(w, made.Code, fmt.Sprintf("for %s, until %s", made.Kiosk, made.Expires.Local().Format(time.TimeOnly)))
	})
	return err
}

func listKiosks(cmd *cobra.Command, _ []string) error {
	taps, _ := cmd.Flags().GetBool("taps")
	_, err := operate(cmd, "kiosks/list", operatorInput{}, func(w io.Writer, all []operatorKiosk) {
		row(w, "KIOSK", "HEALTH", "SEEN", "VERSION", "BACKLOG", "READERS")
		for _, k := range all {
			seen := "never"
			if !k.Seen.IsZero() {
				seen = k.Seen.Format(time.DateTime)
			}
			name := k.Kiosk
			if k.Issuer {
				name += " (issues cards)"
			}
			row(w, name, k.Health, seen, k.Version, backlogText(k), readersText(k))
			if k.Owed != "" {
				row(w, "", "owed", "", "", k.Owed)
			}
			for _, f := range k.Flags {
				row(w, "", "offline", f.Time.Format(time.DateTime), f.What)
			}
			for _, tap := range k.Taps {
				if taps {
					row(w, "", tap.Outcome, tap.Time.Format(time.DateTime), tap.Product)
				}
			}
		}
	})
	return err
}

// backlogText is how many taps a kiosk has not settled, and since when.
func backlogText(k operatorKiosk) string {
	if k.Oldest.IsZero() {
		return fmt.Sprint(k.Backlog)
	}
	return fmt.Sprintf("%d since %s", k.Backlog, k.Oldest.Format(time.DateTime))
}

// readersText is how many readers a kiosk has and what is wrong with one.
func readersText(k operatorKiosk) string {
	text := fmt.Sprint(len(k.Readers))
	for _, r := range k.Readers {
		if r.Fault != "" {
			text += "; " + r.Name + ": " + r.Fault
		}
	}
	return text
}

func disableKiosk(cmd *cobra.Command, args []string) error {
	undo, _ := cmd.Flags().GetBool("undo")
	_, err := operate(cmd, "kiosks/disable", operatorInput{Kiosk: args[0], Enable: undo}, func(w io.Writer, _ struct{}) {
		state := "disabled"
		if undo {
			state = "enabled"
		}
		row(w, args[0], state)
	})
	return err
}
