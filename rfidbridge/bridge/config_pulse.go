package bridge

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
)

// LineConfig is a line of a GPIO chip.
type LineConfig struct {
	Chip      string `json:"chip"` // its label, such as pinctrl-bcm2711, or its path
	Line      *int   `json:"line"` // its number on the chip: of a Raspberry Pi the GPIO's, not the pin's
	ActiveLow bool   `json:"active_low"`
}

// GPIOConfig is a line of this machine that opens.
type GPIOConfig struct {
	LineConfig
	Pulse   Duration       `json:"pulse"` // default: 500ms; at most 10s
	Passage *PassageConfig `json:"passage"`
}

// PassageConfig is a line that is active when somebody passes.
type PassageConfig struct {
	LineConfig          // default: the same chip
	Timeout    Duration `json:"timeout"` // default: 5s, at least the pulse
}

// RelayConfig is a relay on a serial line.
type RelayConfig struct {
	Path    string   `json:"path"`
	Channel int      `json:"channel"` // of an LCUS board: the relay's number, from 1 on
	On      string   `json:"on"`      // or what switches it on and off, such as "ON 1\r\n"
	Off     string   `json:"off"`
	Pulse   Duration `json:"pulse"` // default: 500ms; at most 10s
}

const usualPassage = 5 * time.Second

func pulse(d Duration) time.Duration { return cmp.Or(time.Duration(d), actuator.DefaultPulse) }

func checkPulse(d Duration) error {
	if pulse(d) > actuator.MostPulse {
		return fmt.Errorf("pulse must be at most %s", actuator.MostPulse)
	}
	return nil
}

func (l LineConfig) line(chip string) (actuator.Line, error) {
	chip = cmp.Or(l.Chip, chip)
	if chip == "" || l.Line == nil || *l.Line < 0 {
		return actuator.Line{}, errors.New(`gpio needs a chip and a line, such as {"chip": "pinctrl-bcm2711", "line": 17}`)
	}
	return actuator.Line{Chip: chip, Offset: *l.Line, ActiveLow: l.ActiveLow}, nil
}

func (g *GPIOConfig) actuator() (actuator.Actuator, error) {
	output, err := g.line("")
	if err != nil {
		return nil, err
	}
	if err := checkPulse(g.Pulse); err != nil {
		return nil, err
	}
	a := &actuator.GPIO{Lines: actuator.Chips{}, Output: output, Pulse: pulse(g.Pulse)}
	if g.Passage == nil {
		return a, nil
	}
	input, err := g.Passage.line(output.Chip)
	if err != nil {
		return nil, err
	}
	if input.Chip == output.Chip && input.Offset == output.Offset {
		return nil, errors.New("passage is another line than that which opens")
	}
	if a.Passage, a.PassageTimeout = &input, g.Passage.timeout(); a.PassageTimeout < a.Pulse {
		return nil, errors.New("the timeout of passage must be at least the pulse")
	}
	return a, nil
}

func (g *GPIOConfig) takes() time.Duration {
	if g.Passage == nil {
		return pulse(g.Pulse)
	}
	return max(pulse(g.Pulse), g.Passage.timeout())
}

func (p *PassageConfig) timeout() time.Duration {
	return cmp.Or(time.Duration(p.Timeout), usualPassage)
}

// mostRelays is how many relays a board has: the frame has a byte for them.
const mostRelays = 255

func (r *RelayConfig) actuator() (actuator.Actuator, error) {
	if r.Path == "" {
		return nil, errors.New("relay needs a path, such as /dev/ttyUSB0")
	}
	if err := checkPulse(r.Pulse); err != nil {
		return nil, err
	}
	a := &actuator.SerialRelay{Path: r.Path, On: []byte(r.On), Off: []byte(r.Off), Pulse: pulse(r.Pulse)}
	switch {
	case r.Channel == 0 && r.On != "" && r.Off != "":
	case r.On == "" && r.Off == "" && r.Channel > 0 && r.Channel <= mostRelays:
		a.On, a.Off = actuator.LCUS(byte(r.Channel))
	default:
		return nil, errors.New(`relay needs a channel from 1 on, or else on and off, such as "ON 1\r\n" and "OFF 1\r\n"`)
	}
	return a, nil
}

func (r *RelayConfig) takes() time.Duration { return pulse(r.Pulse) }
