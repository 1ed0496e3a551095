package bridge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/mqtt"
)

// MQTTConfig is a broker that hands an opening on. It speaks MQTT 5.
type MQTTConfig struct {
	Broker       string `json:"broker"`        // such as mqtts://broker.example (TLS, port 8883) or mqtt://127.0.0.1 (1883)
	Topic        string `json:"topic"`         // where openings are published
	Reply        string `json:"reply"`         // where it is said what became of them; default: the broker's word is enough
	Client       string `json:"client"`        // the client id; default: the broker chooses one
	User         string `json:"user"`          // default: nobody in particular
	PasswordFile string `json:"password_file"` // of the user
	CAFile       string `json:"ca_file"`       // certificates that the broker's is signed with; default: the system's
}

func (*MQTTConfig) takes() time.Duration { return 0 }

func (m *MQTTConfig) actuator() (actuator.Actuator, error) {
	broker := mqtt.Broker{ClientID: m.Client, User: m.User}
	var err error
	if broker.Address, broker.TLS, err = m.address(); err != nil {
		return nil, err
	}
	if !isTopic(m.Topic) || m.Reply != "" && (!isTopic(m.Reply) || m.Reply == m.Topic) {
		return nil, errors.New("mqtt needs a topic such as gate/open, and a reply of another one, if any, both without + and #")
	}
	if len(m.Client) > mostName || len(m.User) > mostName {
		return nil, fmt.Errorf("client and user of mqtt have at most %d bytes", mostName)
	}
	if (m.User == "") != (m.PasswordFile == "") {
		return nil, errors.New("mqtt needs user and password_file, or neither")
	}
	if m.User == "" {
		return &actuator.MQTT{Broker: broker, Topic: m.Topic, Reply: m.Reply}, nil
	}
	password, err := os.ReadFile(m.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("password_file of mqtt: %w", err)
	}
	if broker.Password = strings.TrimRight(string(password), "\r\n"); broker.Password == "" || len(broker.Password) > mostName {
		return nil, fmt.Errorf("password_file of mqtt must have 1 to %d bytes", mostName)
	}
	return &actuator.MQTT{Broker: broker, Topic: m.Topic, Reply: m.Reply}, nil
}

// mostName is how long names, topics and passwords may be: no broker wants more.
const mostName = 1024

func isTopic(s string) bool {
	return s != "" && len(s) <= mostName && !strings.ContainsAny(s, "+#\x00")
}

// address is where the broker is, and whether it is asked under TLS.
func (m *MQTTConfig) address() (hostPort string, config *tls.Config, err error) {
	parsed, err := url.Parse(m.Broker)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || strings.Trim(parsed.Path, "/") != "" {
		return "", nil, errors.New("the broker of mqtt is an address such as mqtts://broker.example")
	}
	port := parsed.Port()
	switch parsed.Scheme {
	case "mqtt":
		if m.CAFile != "" {
			return "", nil, errors.New("ca_file is for a broker at mqtts://")
		}
		if port == "" {
			port = "1883"
		}
	case "mqtts":
		if port == "" {
			port = "8883"
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: parsed.Hostname()}
		if config.RootCAs, err = certificates(m.CAFile); err != nil {
			return "", nil, err
		}
	default:
		return "", nil, fmt.Errorf("the broker of mqtt is at mqtt:// or mqtts://, not %q", parsed.Scheme)
	}
	return net.JoinHostPort(parsed.Hostname(), port), config, nil
}

// certificates reads those of a file; nil: the system's.
func certificates(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca_file of mqtt: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ca_file of mqtt: %s has no certificate in PEM", path)
	}
	return pool, nil
}
