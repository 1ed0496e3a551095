package caddymodule

import (
	"io"
	"time"

	"github.com/spf13/cobra"
)

// walletCommand is caddy paywall wallet list|show|credit|freeze.
func walletCommand() *cobra.Command {
	list := pageFlags(subcommand("list", "Lists wallets, the oldest first", cobra.NoArgs, listWallets))
	show := pageFlags(subcommand("show <wallet>", "Shows a wallet and what happened to it", cobra.ExactArgs(1), showWallet))
	credit := subcommand("credit <wallet> <amount> [--note <text>]", "Puts money into a wallet", cobra.ExactArgs(2), creditWallet)
	credit.Flags().String("note", "", "What for; the reader sees it")
	freeze := subcommand("freeze <wallet> [--undo] [--note <text>]", "Stops a wallet from spending", cobra.ExactArgs(1), freezeWallet)
	freeze.Flags().Bool("undo", false, "Let it spend again")
	freeze.Flags().String("note", "", "Why, for the journal; the reader does not see it")
	return group("wallet", "Lists, shows, credits and freezes wallets", list, show, credit, freeze)
}

func listWallets(cmd *cobra.Command, _ []string) error {
	_, err := operate(cmd, "wallets/list", pageInput(cmd), func(w io.Writer, list operatorWallets) {
		row(w, "WALLET", "BALANCE", "VISITS", "CREATED", "")
		for _, held := range list.Wallets {
			visits, state := 0, ""
			for _, pass := range held.Passes {
				visits += pass.Visits
			}
			if held.Frozen {
				state = "frozen"
			}
			row(w, held.Wallet, held.Balance.Amount+" "+held.Balance.Currency, visits, held.Created.Format(time.DateTime), state)
		}
		more(w, list.Next)
	})
	return err
}

func showWallet(cmd *cobra.Command, args []string) error {
	input := pageInput(cmd)
	input.Wallet = args[0]
	_, err := operate(cmd, "wallets/show", input, func(w io.Writer, held operatorWallet) {
		row(w, "wallet", held.Wallet)
		row(w, "balance", held.Balance.Amount+" "+held.Balance.Currency)
		if held.Held != nil {
			row(w, "held", held.Held.Amount+" "+held.Held.Currency)
		}
		row(w, "frozen", held.Frozen)
		for _, pass := range held.Passes {
			row(w, "visits", pass.Visits, pass.Rule)
		}
		row(w, "")
		row(w, "TIME", "WHAT", "AMOUNT", "BALANCE", "PATH", "NOTE")
		for _, e := range held.Entries {
			row(w, e.Time.Format(time.DateTime), e.Kind, e.Amount, e.Balance, e.Path, e.Note)
		}
		more(w, held.Next)
	})
	return err
}

func creditWallet(cmd *cobra.Command, args []string) error {
	input, err := newInput()
	if err != nil {
		return err
	}
	input.Wallet, input.Amount = args[0], args[1]
	input.Note, _ = cmd.Flags().GetString("note")
	return moveWallet(cmd, "wallets/credit", input)
}

func freezeWallet(cmd *cobra.Command, args []string) error {
	input, err := newInput()
	if err != nil {
		return err
	}
	input.Wallet = args[0]
	input.Unfreeze, _ = cmd.Flags().GetBool("undo")
	input.Note, _ = cmd.Flags().GetString("note")
	return moveWallet(cmd, "wallets/freeze", input)
}

func moveWallet(cmd *cobra.Command, operation string, input operatorInput) error {
	_, err := operate(cmd, operation, input, func(w io.Writer, m movement) {
		row(w, "wallet", m.Wallet)
		row(w, "balance", m.Balance.Amount+" "+m.Balance.Currency)
		row(w, "frozen", m.Frozen)
	})
	return err
}
