// Package command is what a person types at a kiosk: the commands, their flags and help.
// The program rfidbridge has them by themselves, and Caddy as "caddy paywall rfid": the same
// code, so that a machine which runs a Caddy needs no second program.
//
// It promises that every command is in All, and that flags are those of package flag in both
// programs. It does not know Caddy, nor what the commands do: that is in the packages that
// they call.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// Command is one of them.
type Command struct {
	Name  string
	Flags string // those that one gives, as a line of help has them
	Short string // what it does

	run func(ctx context.Context, flags *flag.FlagSet, args []string) error
}

// All are the commands, as help lists them.
var All = []Command{
	{"enrol", "-site <address> -code <code>", `Makes this machine a kiosk, once, with a code of "caddy paywall kiosk enrol <name>"`, enrol},
	{"run", "-config <file>", "Watches readers, and opens what is paid for", runKiosk},
	{"card", "personalise|inspect|reset", "Makes blank cards the site's, looks at cards, or makes the site's blank", issueCards},
	{"simulate", "-site <address> -code <code>", "Shows a virtual card and kiosk in the browser, without hardware", runSimulation},
}

// Run does what args say. path is how the command was called, for its help. It returns nil
// after help that was asked for.
func (c Command) Run(ctx context.Context, path string, args []string) error {
	flags := flag.NewFlagSet(path, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "%s.\n\nUsage: %s %s\n\n", c.Short, path, c.Flags)
		flags.PrintDefaults()
	}
	err := c.run(ctx, flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return err
}

// Program does what the arguments of the program rfidbridge say. Without any it prints help.
func Program(ctx context.Context, args []string) error {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		return help(os.Stdout)
	}
	i := slices.IndexFunc(All, func(c Command) bool { return c.Name == args[0] })
	if i < 0 {
		return fmt.Errorf("there is no command %q; rfidbridge help lists them", args[0])
	}
	return All[i].Run(ctx, "rfidbridge "+args[0], args[1:])
}

func help(w io.Writer) error {
	fmt.Fprint(w, "rfidbridge makes a machine a kiosk of a paywall.\n\n")
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, c := range All {
		fmt.Fprintf(table, "  rfidbridge %s\t%s\t%s\n", c.Name, c.Flags, c.Short)
	}
	fmt.Fprint(table, "\nEach command has -help.\n")
	return table.Flush()
}

// parse reads the flags of a command that takes no arguments.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes flags alone, and not %q", flags.Name(), strings.Join(flags.Args(), " "))
	}
	return nil
}
