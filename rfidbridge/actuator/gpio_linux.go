package actuator

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/warthog618/go-gpiocdev"
)

// Chips are the GPIO chips of this machine: /dev/gpiochip*, Linux 5.10 and later.
type Chips struct{}

// settled is how long a passage line must keep its state to be believed: relays that switch
// beside its wire disturb it for less, people for more.
const settled = 5 * time.Millisecond

// Output implements [Lines].
func (Chips) Output(l Line) (Driven, error) {
	line, err := request(l, gpiocdev.AsOutput(0))
	if err != nil {
		return nil, err
	}
	return driven{line}, nil
}

type driven struct{ *gpiocdev.Line }

func (d driven) Set(active bool) error {
	if active {
		return d.SetValue(1)
	}
	return d.SetValue(0)
}

// Edges implements [Lines]. What closes a circuit needs no resistor where the chip has its own.
func (Chips) Edges(l Line, edge func()) (io.Closer, error) {
	pull := gpiocdev.LineReqOption(gpiocdev.WithPullDown)
	if l.ActiveLow {
		pull = gpiocdev.WithPullUp
	}
	return request(l, gpiocdev.WithRisingEdge, pull, gpiocdev.WithDebounce(settled),
		gpiocdev.WithEventHandler(func(gpiocdev.LineEvent) { edge() }))
}

func request(l Line, options ...gpiocdev.LineReqOption) (*gpiocdev.Line, error) {
	path, err := chipPath(l.Chip)
	if err != nil {
		return nil, err
	}
	if l.ActiveLow {
		options = append(options, gpiocdev.AsActiveLow)
	}
	line, err := gpiocdev.RequestLine(path, l.Offset, append(options, gpiocdev.WithConsumer("rfidbridge"))...)
	if err != nil {
		return nil, fmt.Errorf("line %d of %s: %w", l.Offset, l.Chip, err)
	}
	return line, nil
}

// chipPath finds a chip. Labels stay where numbers change: that of a Raspberry Pi 5's header
// has been another with each kernel.
func chipPath(chip string) (string, error) {
	if strings.HasPrefix(chip, "/") {
		return filepath.EvalSymlinks(chip)
	}
	labels := make(map[string]string)
	for _, name := range gpiocdev.Chips() {
		c, err := gpiocdev.NewChip(name)
		if err != nil {
			continue // a link, or not ours to see
		}
		labels[name] = c.Label
		_ = c.Close() // nothing was asked of it
	}
	return labelled(chip, labels)
}

// labelled finds the one chip with a label.
func labelled(label string, labels map[string]string) (name string, err error) {
	var there []string
	for candidate, its := range labels {
		there = append(there, its)
		if its != label {
			continue
		}
		if name != "" {
			return "", fmt.Errorf("more than one GPIO chip is labelled %s: give a path, such as /dev/%s", label, candidate)
		}
		name = candidate
	}
	if name == "" {
		return "", fmt.Errorf("no GPIO chip is labelled %s; there are %q", label, there)
	}
	return "/dev/" + name, nil
}
