package bridge

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
)

// ActuatorConfig is what opens: one of these, or nothing.
type ActuatorConfig struct {
	Webhook    string       `json:"webhook"`     // an address
	SecretFile string       `json:"secret_file"` // with the key that the webhook is signed with
	Exec       []string     `json:"exec"`        // a program and its arguments
	GPIO       *GPIOConfig  `json:"gpio"`
	Relay      *RelayConfig `json:"relay"`
	MQTT       *MQTTConfig  `json:"mqtt"`

	// Browser opens pages of the site in the kiosk's own browser, which shows the screen:
	// the product has to say which. WhileCard ends that when the card is gone.
	Browser   bool `json:"browser"`
	WhileCard bool `json:"while_card"`

	// Timeout is how long it may take. Default: 2s, or a second longer than a pulse or a
	// passage may take; for a browser 20s.
	Timeout Duration `json:"timeout"`
}

// opener is something that can open, by its configuration.
type opener interface {
	actuator() (actuator.Actuator, error)
	takes() time.Duration // as long as it works; zero: no longer than it must
}

// opener is the one that is configured; nil: none.
func (a ActuatorConfig) opener() (one opener, err error) {
	var several []opener
	if a.Webhook != "" {
		several = append(several, webhookConfig{a.Webhook, a.SecretFile})
	}
	if len(a.Exec) > 0 {
		several = append(several, execConfig(a.Exec))
	}
	if a.GPIO != nil {
		several = append(several, a.GPIO)
	}
	if a.Relay != nil {
		several = append(several, a.Relay)
	}
	if a.MQTT != nil {
		several = append(several, a.MQTT)
	}
	if a.Browser {
		several = append(several, browserConfig{a.WhileCard})
	}
	switch len(several) {
	case 0:
		return nil, nil
	case 1:
		return several[0], nil
	}
	return nil, errors.New("actuator is one of webhook, exec, gpio, relay, mqtt and browser, not several")
}

// fill puts the default in the place of what is not said.
func (a *ActuatorConfig) fill() {
	const usual = 2 * time.Second
	if a.Timeout != 0 {
		return
	}
	a.Timeout = Duration(usual)
	if one, err := a.opener(); err == nil && one != nil {
		a.Timeout = Duration(max(usual, one.takes()+time.Second))
	}
}

func (a ActuatorConfig) check() error {
	one, err := a.opener()
	if err != nil || one == nil {
		return err
	}
	if takes := one.takes(); time.Duration(a.Timeout) <= takes {
		return fmt.Errorf("the actuator's timeout must be longer than the %s that its pulse and passage take", takes)
	}
	_, err = one.actuator()
	return err
}

func (a ActuatorConfig) actuator() (actuator.Actuator, error) {
	one, err := a.opener()
	if err != nil {
		return nil, err
	}
	if one == nil {
		return actuator.None{}, nil
	}
	return one.actuator()
}

type execConfig []string

func (e execConfig) actuator() (actuator.Actuator, error) { return actuator.Exec{Argv: e}, nil }
func (execConfig) takes() time.Duration                   { return 0 }

type webhookConfig struct{ url, secretFile string }

const leastSecret = 16

func (w webhookConfig) actuator() (actuator.Actuator, error) {
	if _, err := http.NewRequest(http.MethodPost, w.url, nil); err != nil { //nolint:noctx // it is not sent
		return nil, fmt.Errorf("webhook: %w", err)
	}
	secret, err := os.ReadFile(w.secretFile)
	if err != nil {
		return nil, fmt.Errorf("secret_file of the webhook: %w", err)
	}
	if secret = bytes.TrimSpace(secret); len(secret) < leastSecret {
		return nil, fmt.Errorf("secret_file of the webhook has %d bytes, and needs %d", len(secret), leastSecret)
	}
	return &actuator.Webhook{URL: w.url, Secret: secret, Client: actuator.WebhookClient(), Now: time.Now}, nil
}

func (webhookConfig) takes() time.Duration { return 0 }
