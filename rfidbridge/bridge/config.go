// Package bridge is the kiosk at work: it reads its configuration, watches its readers, has
// taps carried out, and settles and reports in between. It promises what its parts do, and
// that a reader which fails stops no other. It does not know cards and money.
package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/frames"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
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

	// Patience is how long the paywall is asked for a verdict. Default: 3s.
	Patience Duration `json:"patience"`

	// CaptureUnknown takes the money where nobody knows whether the actuator has opened.
	// Default: it goes back.
	CaptureUnknown bool `json:"capture_unknown"`
}

// ReaderConfig is one reader, or all that pcscd has.
type ReaderConfig struct {
	Driver string     `json:"driver"` // pcsc, serial, lines, keyboard or stdin
	Name   string     `json:"name"`   // of pcsc a pattern of readers' names; else how it is called
	Path   string     `json:"path"`   // of serial, lines and keyboard: the device
	Format uid.Format `json:"format"` // of lines, keyboard and stdin; default: hex
}

// ActuatorConfig is a webhook, a program, or neither.
type ActuatorConfig struct {
	Webhook    string   `json:"webhook"`     // an address
	SecretFile string   `json:"secret_file"` // with the key that the webhook is signed with
	Exec       []string `json:"exec"`        // a program and its arguments
	Timeout    Duration `json:"timeout"`     // default: 2s
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
	c := Config{Patience: Duration(3 * time.Second), Actuator: ActuatorConfig{Timeout: Duration(2 * time.Second)}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
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
	case c.Actuator.Webhook != "" && len(c.Actuator.Exec) > 0:
		return errors.New("actuator is a webhook or exec, not both")
	}
	for _, r := range c.Readers {
		if _, err := r.driver(); err != nil {
			return err
		}
	}
	_, err := c.Actuator.actuator()
	return err
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// rdmHeld is how long after its last frame a card counts as gone: modules write ten a second.
const rdmHeld = 500 * time.Millisecond

func (r ReaderConfig) driver() (reader.Driver, error) {
	format := r.Format
	if format == "" {
		format = uid.Hex
	}
	if !slices.Contains(uid.Formats, format) {
		return nil, fmt.Errorf("format %q: it is one of %v", r.Format, uid.Formats)
	}
	s := reader.Stream{Name: r.Name}
	if s.Name == "" {
		s.Name = r.Driver + " " + r.Path
	}
	lines := func(in io.Reader, read frames.Read) error { return frames.Lines(in, format, read) }
	switch r.Driver {
	case "pcsc":
		return reader.PCSC{Names: r.Name}, nil
	case "stdin":
		s.Open = func(context.Context) (io.ReadCloser, error) { return os.Stdin, nil }
		s.Frames, s.Once = lines, true
		return s, nil
	case "serial":
		s.Open, s.Frames, s.Held = reader.OpenSerial(r.Path), frames.RDM6300, rdmHeld
	case "lines":
		s.Open, s.Frames = reader.OpenSerial(r.Path), lines
	case "keyboard":
		s.Open = reader.OpenKeyboard(r.Path)
		s.Frames = func(in io.Reader, read frames.Read) error { return frames.Wedge(in, format, read) }
	default:
		return nil, fmt.Errorf("driver %q: it is pcsc, serial, lines, keyboard or stdin", r.Driver)
	}
	if r.Path == "" {
		return nil, fmt.Errorf("the driver %s needs a path, such as /dev/ttyUSB0", r.Driver)
	}
	return s, nil
}

const leastSecret = 16

func (a ActuatorConfig) actuator() (actuator.Actuator, error) {
	switch {
	case len(a.Exec) > 0:
		return actuator.Exec{Argv: a.Exec}, nil
	case a.Webhook == "":
		return actuator.None{}, nil
	}
	if _, err := http.NewRequest(http.MethodPost, a.Webhook, nil); err != nil { //nolint:noctx // it is not sent
		return nil, fmt.Errorf("webhook: %w", err)
	}
	secret, err := os.ReadFile(a.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("secret_file of the webhook: %w", err)
	}
	if secret = bytes.TrimSpace(secret); len(secret) < leastSecret {
		return nil, fmt.Errorf("secret_file of the webhook has %d bytes, and needs %d", len(secret), leastSecret)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &actuator.Webhook{URL: a.Webhook, Secret: secret, Client: client, Now: time.Now}, nil
}
