package caddymodule

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  appName,
		Usage: "voucher|wallet|kiosk|rfid|report|verify|export|import",
		Short: "Runs the paywall of a running Caddy: vouchers, wallets, kiosks, revenue, books",
		Long: `
Talks to the admin endpoint of a running Caddy and does what the operator of its
paywall can do. The operator's credential is read from the paywall folder of
Caddy's data directory, so run it as the user that Caddy runs as.

export and import move a ledger to another engine, while Caddy is stopped.

rfid makes this machine a kiosk of a paywall, here or elsewhere.`,
		CobraFunc: paywallCommand,
	})
}

func paywallCommand(root *cobra.Command) {
	root.RunE = onlyGroup
	flags := root.PersistentFlags()
	flags.Bool("json", false, "Print JSON")
	flags.String("address", "", "The address of the admin endpoint (default: Caddy's)")
	flags.Duration("wait", 0, "How long to wait for Caddy to come up")
	root.AddCommand(voucherCommand(), walletCommand(), kioskCommand(), rfidCommand(), reportCommand(), verifyCommand(), exportCommand(), importCommand())
}

// group is a command that only has subcommands.
func group(use, short string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, RunE: onlyGroup, SilenceUsage: true}
	cmd.AddCommand(subcommands...)
	return cmd
}

// onlyGroup prints the help, and fails on a word that is no subcommand: a
// script with a typing mistake must not go on.
func onlyGroup(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s has no command %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return cmd.Help()
}

// subcommand is a command that does one operation.
func subcommand(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args, SilenceUsage: true,
		RunE: run,
	}
}

// operate does one operation of the admin routes and prints its result: as
// JSON where --json asks for it, else as show does.
func operate[T any](cmd *cobra.Command, operation string, input operatorInput, show func(io.Writer, T)) (result T, err error) {
	body, err := callAdmin(cmd, operation, input)
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(body, &result); err != nil {
		return result, fmt.Errorf("the answer of %s is not what this version expects: %w", operation, err)
	}
	return result, printResult(cmd, body, func(w io.Writer) { show(w, result) })
}

// printResult prints a result: its JSON where --json asks for it, else as show
// does.
func printResult(cmd *cobra.Command, body []byte, show func(io.Writer)) error {
	if asked, _ := cmd.Flags().GetBool("json"); asked {
		_, err := cmd.OutOrStdout().Write(body)
		return err
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	show(table)
	return table.Flush()
}

// callAdmin sends one operation and returns the whole answer.
func callAdmin(cmd *cobra.Command, operation string, input operatorInput) ([]byte, error) {
	answer, err := askAdmin(cmd, operation, input)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	return io.ReadAll(answer)
}

// askAdmin sends one operation, again while --wait lasts and Caddy is not up. The
// answer must be closed.
func askAdmin(cmd *cobra.Command, operation string, input operatorInput) (io.ReadCloser, error) {
	address, _ := cmd.Flags().GetString("address")
	address, err := caddycmd.DetermineAdminAPIAddress(address, nil, "", "")
	if err != nil {
		return nil, err
	}
	wait, _ := cmd.Flags().GetDuration("wait")
	for deadline := time.Now().Add(wait); ; time.Sleep(100 * time.Millisecond) {
		answer, err := postAdmin(address, operation, input)
		if starting(err) && time.Now().Before(deadline) {
			continue
		}
		if refused(err) {
			return nil, fmt.Errorf("no Caddy listens at %s: start one, or name its admin endpoint with --address", address)
		}
		return answer, err
	}
}

// starting reports whether an error is that of a Caddy that is not up yet.
func starting(err error) bool {
	return refused(err) || errors.Is(err, os.ErrNotExist) || err != nil && strings.Contains(err.Error(), startingText)
}

// refused reports whether nobody listens. Caddy's client hands the reason on as
// text only, so that errors.Is does not find it.
func refused(err error) bool {
	return err != nil && strings.Contains(err.Error(), syscall.ECONNREFUSED.Error())
}

func postAdmin(address, operation string, input operatorInput) (io.ReadCloser, error) {
	credential, err := os.ReadFile(dataPath(operatorFile))
	if err != nil {
		return nil, fmt.Errorf("the operator's credential: %w; run this as the user that Caddy runs as, "+
			"with the same data directory (%s)", err, caddy.AppDataDir())
	}
	body, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	header := http.Header{
		"Content-Type":  {"application/json"},
		"Authorization": {"Bearer " + strings.TrimSpace(string(credential))},
	}
	resp, err := caddycmd.AdminAPIRequest(address, http.MethodPost, adminPrefix+operation, header, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// newInput is the input of an operation that changes something. Its id is made
// here, so that a connection that sends it twice does it once.
func newInput() (operatorInput, error) {
	id, err := wallet.NewOpID(time.Now(), rand.Reader)
	return operatorInput{ID: id}, err
}

// row prints one line of a table.
func row(w io.Writer, columns ...any) {
	for i, column := range columns {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, column)
	}
	fmt.Fprintln(w)
}

// more tells how to see the next page.
func more(w io.Writer, next string) {
	if next != "" {
		fmt.Fprintf(w, "\nMore: --cursor %s\n", next)
	}
}

// pageFlags are the flags of a listing.
func pageFlags(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().String("cursor", "", "Where to go on, as the page before said")
	cmd.Flags().Int("limit", defaultOperatorPage, fmt.Sprintf("How many to print, 1 to %d", wallet.MaxPage))
	return cmd
}

func pageInput(cmd *cobra.Command) (input operatorInput) {
	input.Cursor, _ = cmd.Flags().GetString("cursor")
	input.Limit, _ = cmd.Flags().GetInt("limit")
	return input
}
