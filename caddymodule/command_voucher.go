package caddymodule

import (
	"fmt"
	"io"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"
)

// voucherCommand is caddy paywall voucher create|list|void.
func voucherCommand() *cobra.Command {
	create := subcommand("create --value <amount> [--count <n>] [--expires <duration>] [--note <text>]",
		"Creates vouchers and prints their codes, once", cobra.NoArgs, createVouchers)
	create.Flags().String("value", "", "What each voucher is worth, such as 5.00 (required)")
	create.Flags().Int("count", 1, "How many vouchers")
	create.Flags().String("expires", "", "How long they are good for, such as 365d (default: for ever)")
	create.Flags().String("note", "", "A note, shown by list")
	_ = create.MarkFlagRequired("value")

	void := subcommand("void <serial or code> [--note <text>]", "Makes a voucher worthless", cobra.ExactArgs(1), voidVoucher)
	void.Flags().String("note", "", "Why, for the journal")

	list := pageFlags(subcommand("list", "Lists vouchers; their codes are known to nobody", cobra.NoArgs, listVouchers))
	return group("voucher", "Creates, lists and voids vouchers", create, list, void)
}

func createVouchers(cmd *cobra.Command, _ []string) error {
	input, err := newInput()
	if err != nil {
		return err
	}
	input.Value, _ = cmd.Flags().GetString("value")
	input.Count, _ = cmd.Flags().GetInt("count")
	input.Note, _ = cmd.Flags().GetString("note")
	if expires, _ := cmd.Flags().GetString("expires"); expires != "" {
		lasts, err := caddy.ParseDuration(expires)
		if err != nil {
			return fmt.Errorf("--expires: %w; write a duration such as 365d", err)
		}
		input.Expires = time.Now().Add(lasts)
	}
	_, err = operate(cmd, "vouchers/create", input, func(w io.Writer, vouchers []newVoucher) {
		for _, v := range vouchers {
			row(w, v.Code, v.Value+" "+v.Currency)
		}
	})
	return err
}

func listVouchers(cmd *cobra.Command, _ []string) error {
	_, err := operate(cmd, "vouchers/list", pageInput(cmd), func(w io.Writer, list voucherList) {
		row(w, "SERIAL", "VALUE", "STATE", "ISSUED", "NOTE")
		for _, v := range list.Vouchers {
			row(w, v.Serial, v.Value+" "+v.Currency, v.State, v.Issued.Format(time.DateTime), v.Note)
		}
		more(w, list.Next)
	})
	return err
}

func voidVoucher(cmd *cobra.Command, args []string) error {
	input, err := newInput()
	if err != nil {
		return err
	}
	input.Voucher = args[0]
	input.Note, _ = cmd.Flags().GetString("note")
	_, err = operate(cmd, "vouchers/void", input, func(w io.Writer, v voucherJSON) {
		row(w, "voucher", v.Serial, "is", v.State)
	})
	return err
}
