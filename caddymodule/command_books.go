package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// reportCommand is caddy paywall report.
func reportCommand() *cobra.Command {
	cmd := subcommand("report [--from <day>] [--to <day>]", "Prints the revenue by path and day", cobra.NoArgs, printReport)
	cmd.Flags().String("from", "", "The first day, as 2006-01-02 in UTC (default: the beginning)")
	cmd.Flags().String("to", "", "The last day (default: today)")
	return cmd
}

func printReport(cmd *cobra.Command, _ []string) error {
	var input operatorInput
	from, err := dayFlag(cmd, "from")
	if err != nil {
		return err
	}
	to, err := dayFlag(cmd, "to")
	if err != nil {
		return err
	}
	input.From = from
	if !to.IsZero() {
		input.To = to.AddDate(0, 0, 1) // the last day is included
	}
	_, err = operate(cmd, "report", input, func(w io.Writer, rows []revenueJSON) {
		row(w, "DAY", "PATH", "SALES", "VISITS", "AMOUNT")
		for _, r := range rows {
			path := r.Path
			if path == "" {
				path = "bundles of " + r.Rule
			}
			row(w, r.Day, path, r.Sales, r.Visits, r.Amount+" "+r.Currency)
		}
	})
	return err
}

func dayFlag(cmd *cobra.Command, name string) (time.Time, error) {
	text, _ := cmd.Flags().GetString(name)
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fmt.Errorf("--%s: %q is no day; write it as 2006-01-02", name, text)
	}
	return day, nil
}

// verifyCommand is caddy paywall verify.
func verifyCommand() *cobra.Command {
	return subcommand("verify", "Recomputes every balance from the journal and says whether the money adds up",
		cobra.NoArgs, verifyBooks)
}

func verifyBooks(cmd *cobra.Command, _ []string) error {
	audit, err := operate(cmd, "verify", operatorInput{}, func(w io.Writer, a auditJSON) {
		row(w, "entries", a.Entries)
		row(w, "wallets", a.Wallets)
		row(w, "in wallets", a.Available+" "+a.Currency)
		row(w, "held", a.Held+" "+a.Currency)
		row(w, "earned", a.Site+" "+a.Currency)
		row(w, "funding", a.Funding+" "+a.Currency)
		row(w, "sum", a.Sum+" "+a.Currency)
		for _, d := range a.Differences {
			row(w, "DIFFERENCE", d.Account, "journal "+d.Journal, "ledger "+d.Ledger)
		}
		if a.OK {
			row(w, "")
			row(w, "The money adds up.")
		}
	})
	if err == nil && !audit.OK {
		return errors.New("the money does not add up")
	}
	return err
}
