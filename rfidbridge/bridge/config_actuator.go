package bridge

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
)

// ActuatorConfig is a webhook, a program, or neither.
type ActuatorConfig struct {
	Webhook    string   `json:"webhook"`     // an address
	SecretFile string   `json:"secret_file"` // with the key that the webhook is signed with
	Exec       []string `json:"exec"`        // a program and its arguments
	Timeout    Duration `json:"timeout"`     // default: 2s
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
