package caddymodule

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// importCommand is caddy paywall import.
func importCommand() *cobra.Command {
	cmd := subcommand("import --file <file> [--config <file> [--adapter <name>]]",
		"Does all that an exported file tells again, in an empty ledger", cobra.NoArgs, importHistory)
	cmd.Long = `
Does all that an exported file tells again, in the ledger of a configuration, and
proves that both have the same sums. The ledger must be empty, and Caddy stopped.
Vouchers and recovery codes work on where the paywall has the same secret: keep
the paywall folder of Caddy's data directory, or the configured secret.`
	moveFlags(cmd, "The configuration whose ledger is filled (default: the Caddyfile here)")
	return cmd
}

func importHistory(cmd *cobra.Command, _ []string) error {
	ctx, stop := interruptible()
	defer stop()
	l, err := offlineFlag(cmd)
	if err != nil {
		return err
	}
	defer l.done()
	importer, ok := l.store.(LedgerImporter)
	if !ok {
		return fmt.Errorf("the engine of this ledger (%T) takes no import", l.store)
	}
	path, _ := cmd.Flags().GetString("file")
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	summary, err := history.Replay(ctx, f, history.Target{
		Currency: l.currency, Now: time.Now,
		Open: func(clock func() time.Time) (wallet.Ledger, error) {
			return importer.OpenLedgerAt(slog.New(currentLog{}), clock)
		},
	})
	if err != nil {
		return err
	}
	return printSummary(cmd, summary)
}

// What export and import have in common.

func moveFlags(cmd *cobra.Command, config string) {
	cmd.Flags().String("file", "", "The exported file (required)")
	cmd.Flags().String("config", "", config)
	cmd.Flags().String("adapter", "", "The adapter of the configuration (default: by its name)")
	_ = cmd.MarkFlagRequired("file")
}

// offlineFlag is the ledger of the configuration that --config names.
func offlineFlag(cmd *cobra.Command) (*offlineLedger, error) {
	file, _ := cmd.Flags().GetString("config")
	adapter, _ := cmd.Flags().GetString("adapter")
	return loadOffline(file, adapter)
}

// interruptible ends a long command at Ctrl-C in such a way that it tidies up.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// summaryJSON is what a history comes to.
type summaryJSON struct {
	Operations uint64 `json:"operations"`
	Wallets    int    `json:"wallets"`
	Money      string `json:"money"`
	Site       string `json:"site"`
	Funding    string `json:"funding"`
	Currency   string `json:"currency"`
}

func printSummary(cmd *cobra.Command, s history.Summary) error {
	currency, err := wallet.ParseCurrency(s.Currency)
	if err != nil {
		return err
	}
	f := currency.Format
	result := summaryJSON{s.Deeds, s.Wallets, f(s.Money), f(s.Site), f(s.Funding), s.Currency}
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(result); err != nil {
		return err
	}
	return printResult(cmd, body.Bytes(), func(w io.Writer) {
		row(w, "operations", result.Operations)
		row(w, "wallets", result.Wallets)
		row(w, "in wallets and held", currency.Price(s.Money))
		row(w, "earned", currency.Price(s.Site))
		row(w, "funding", currency.Price(s.Funding))
	})
}
