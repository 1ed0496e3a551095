// Package bridge is the kiosk at work: it reads its configuration, watches its readers, has
// taps carried out, and settles and reports in between. It promises what its parts do, and
// that a reader which fails stops no other. It does not know cards and money.
package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Config is a kiosk's configuration, a file of JSON.
type Config struct {
	// Product is what a tap pays for: one of the paywall's.
	Product string `json:"product"`

	// Readers are where cards are tapped.
	Readers []ReaderConfig `json:"readers"`

	// Actuator is what opens. Default: nothing does.
	Actuator ActuatorConfig `json:"actuator"`

	// Screen is where the kiosk's own browser finds what to show: host and port on the
	// loopback interface. Default: there is no screen.
	Screen string `json:"screen"`

	// Metrics is where Prometheus finds what the kiosk counts: host and port. Whoever
	// reaches it reads it. Default: nowhere.
	Metrics string `json:"metrics"`

	// DisplayOnly says that nobody can enter anything at the screen: no card is asked for
	// its PIN here. Default: there is a keyboard, or it can be touched.
	DisplayOnly bool `json:"display_only"`

	// Patience is how long the paywall is asked for a verdict. Default: 3s.
	Patience Duration `json:"patience"`

	// OfflinePatience is how long, where the kiosk may decide by itself. Default: 1s.
	OfflinePatience Duration `json:"offline_patience"`

	// Guard is how long after a card has gone the same one is the same purchase. Default:
	// 2s.
	Guard Duration `json:"guard"`

	// Settle is how long after a reader has come back a card on it counts as one that lay
	// there, and does not pay: as long as the reader takes to see one. Default: 1s.
	Settle Duration `json:"settle"`

	// CaptureUnknown takes the money where nobody knows whether the actuator has opened.
	// Default: it goes back.
	CaptureUnknown bool `json:"capture_unknown"`

	// EMV has bank cards taken. Default: they are cards by their numbers.
	EMV *EMVConfig `json:"emv"`
}

// Duration is a time such as "2s".
type Duration time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err == nil && (parsed <= 0 || parsed > time.Minute) {
		err = fmt.Errorf("%s must be above zero and at most a minute", parsed)
	}
	*d = Duration(parsed)
	return err
}

// Load reads a configuration. Its error says what to write.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	c := Config{Patience: Duration(3 * time.Second), OfflinePatience: Duration(time.Second), Guard: Duration(2 * time.Second), Settle: Duration(time.Second)}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	c.Actuator.fill()
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c Config) check() error {
	switch {
	case !wire.IsName(c.Product):
		return errors.New("product must be the name of one of the paywall's products, such as gate")
	case len(c.Readers) == 0:
		return errors.New(`readers must have one at least, such as {"driver": "pcsc"}`)
	case c.Screen != "" && !isLoopback(c.Screen):
		return errors.New("screen is for this machine alone: an address such as 127.0.0.1:8404")
	}
	if _, _, err := net.SplitHostPort(c.Metrics); err != nil && c.Metrics != "" {
		return errors.New("metrics is a host and port, such as 127.0.0.1:9404")
	}
	bank, err := c.EMV.terminal()
	if err != nil {
		return err
	}
	for _, r := range c.Readers {
		if _, err := r.driver(bank); err != nil {
			return err
		}
	}
	if err := c.checkBrowser(); err != nil {
		return err
	}
	return c.Actuator.check()
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && net.ParseIP(host).IsLoopback()
}
