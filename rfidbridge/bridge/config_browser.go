package bridge

import (
	"errors"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
)

type browserConfig struct{ whileCard bool }

// browserTakes is how long the kiosk's browser may take to come for what a tap has paid
// for: less than the paywall sets its money aside.
const browserTakes = 19 * time.Second

func (b browserConfig) actuator() (actuator.Actuator, error) {
	return &actuator.Browser{WhileCard: b.whileCard}, nil
}

func (browserConfig) takes() time.Duration { return browserTakes }

// checkBrowser finds a kiosk without a browser to open anything in, and a card whose going
// nobody would see.
func (c Config) checkBrowser() error {
	switch {
	case c.Actuator.WhileCard && !c.Actuator.Browser:
		return errors.New("while_card is for the actuator browser")
	case !c.Actuator.Browser:
		return nil
	case c.Screen == "":
		return errors.New("the actuator browser needs a screen, which the kiosk's browser shows")
	}
	for _, r := range c.Readers {
		if c.Actuator.WhileCard && !r.tellsGone() {
			return errors.New("while_card needs readers that tell when a card is gone: pcsc, pn532 or serial, not " + r.Driver)
		}
	}
	return nil
}

// tellsGone reports whether the reader knows how long a card lies there.
func (r ReaderConfig) tellsGone() bool {
	switch r.Driver {
	case "lines", "keyboard", "stdin", "exec":
		return false
	}
	return true
}
