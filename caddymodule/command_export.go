package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// exportCommand is caddy paywall export.
func exportCommand() *cobra.Command {
	cmd := subcommand("export --file <file> [--config <file> [--adapter <name>]]",
		"Writes all that has happened in the ledger to a file", cobra.NoArgs, exportHistory)
	cmd.Long = `
Writes all that has happened in the ledger to a file: wallets, payments, vouchers,
each with its time. With --config it opens the ledger of that configuration, for
which Caddy must be stopped; without, it asks the running Caddy, and what happens
after that is not in the file. Keep the file as the ledger is kept: it says who
read what.`
	moveFlags(cmd, "The configuration whose ledger is exported (default: ask the running Caddy)")
	return cmd
}

func exportHistory(cmd *cobra.Command, _ []string) error {
	ctx, stop := interruptible()
	defer stop()
	write := func(w io.Writer) error { return exportRunning(ctx, cmd, w) }
	if cmd.Flags().Changed("config") {
		l, err := offlineFlag(cmd)
		if err != nil {
			return err
		}
		defer l.done()
		write = func(w io.Writer) error { return exportOffline(ctx, l, w) }
	}
	path, _ := cmd.Flags().GetString("file")
	summary, err := writeHistory(path, write)
	if err != nil {
		return err
	}
	return printSummary(cmd, summary)
}

// exportRunning copies the history that a running Caddy tells.
func exportRunning(ctx context.Context, cmd *cobra.Command, w io.Writer) error {
	answer, err := askAdmin(cmd, "export", operatorInput{})
	if err != nil {
		return err
	}
	defer answer.Close()
	defer context.AfterFunc(ctx, func() { answer.Close() })()
	if _, err := io.Copy(w, answer); err != nil {
		return fmt.Errorf("the answer broke off: %w; Caddy's log may say why", err)
	}
	return ctx.Err()
}

// exportOffline writes the history of a ledger that nobody has open.
func exportOffline(ctx context.Context, l *offlineLedger, w io.Writer) error {
	ledger, err := l.store.OpenLedger(slog.New(currentLog{}), true)
	if errors.Is(err, wallet.ErrInUse) {
		return fmt.Errorf("%w: stop Caddy first, or leave out --config to ask it", err)
	}
	if err != nil {
		return err
	}
	source, err := historyOf(ledger)
	if err == nil {
		_, err = history.Write(ctx, w, source, l.currency)
	}
	return errors.Join(err, ledger.Close())
}

// writeHistory makes the file of a history: durable, whole and read again to prove
// it, or not at all.
func writeHistory(path string, write func(io.Writer) error) (summary history.Summary, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return summary, err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		summary, err = history.Check(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return summary, err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return summary, err
	}
	return summary, syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder durable. Windows cannot, and NTFS
// journals them by itself.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
