package bridge

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/mqtt"
)

// opening loads a configuration with an actuator.
func opening(t *testing.T, text string) (Config, error) {
	t.Helper()
	return load(t, `{"product":"gate","readers":[{"driver":"pcsc"}],"actuator":`+text+`}`)
}

// written is a file with a text.
func written(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatOpensIsAsConfigured(t *testing.T) {
	on, off := actuator.LCUS(3)
	password := written(t, "hunter 2\n")
	header := actuator.Line{Chip: "pinctrl-rp1", Offset: 17, ActiveLow: true}
	for text, c := range map[string]struct {
		want    actuator.Actuator
		timeout time.Duration
	}{
		`{}`: {actuator.None{}, 2 * time.Second},
		`{"gpio":{"chip":"pinctrl-rp1","line":17,"active_low":true}}`: {
			&actuator.GPIO{Lines: actuator.Chips{}, Output: header, Pulse: 500 * time.Millisecond}, 2 * time.Second,
		},
		`{"gpio":{"chip":"pinctrl-rp1","line":17,"active_low":true,"pulse":"3s"}}`: {
			&actuator.GPIO{Lines: actuator.Chips{}, Output: header, Pulse: 3 * time.Second}, 4 * time.Second,
		},
		`{"gpio":{"chip":"pinctrl-rp1","line":17,"active_low":true,"passage":{"line":0}}}`: {
			&actuator.GPIO{
				Lines: actuator.Chips{}, Output: header, Pulse: 500 * time.Millisecond,
				Passage: &actuator.Line{Chip: "pinctrl-rp1"}, PassageTimeout: 5 * time.Second,
			}, 6 * time.Second,
		},
		`{"relay":{"path":"/dev/ttyUSB0","channel":3},"timeout":"1s"}`: {
			&actuator.SerialRelay{Path: "/dev/ttyUSB0", On: on, Off: off, Pulse: 500 * time.Millisecond}, time.Second,
		},
		`{"relay":{"path":"/dev/ttyUSB0","on":"ON 1\r\n","off":"OFF 1\r\n","pulse":"10s"}}`: {
			&actuator.SerialRelay{Path: "/dev/ttyUSB0", On: []byte("ON 1\r\n"), Off: []byte("OFF 1\r\n"), Pulse: 10 * time.Second}, 11 * time.Second,
		},
		`{"mqtt":{"broker":"mqtt://127.0.0.1","topic":"gate/open"}}`: {
			&actuator.MQTT{Broker: mqtt.Broker{Address: "127.0.0.1:1883"}, Topic: "gate/open"}, 2 * time.Second,
		},
		`{"mqtt":{"broker":"mqtts://[::1]","topic":"gate/open","reply":"gate/opened","client":"lobby","user":"kiosk","password_file":"` + password + `"}}`: {
			&actuator.MQTT{
				Broker: mqtt.Broker{
					Address: "[::1]:8883", TLS: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "::1"},
					ClientID: "lobby", User: "kiosk", Password: "hunter 2",
				}, Topic: "gate/open", Reply: "gate/opened",
			}, 2 * time.Second,
		},
	} {
		config, err := opening(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := config.Actuator.actuator()
		if err != nil || !reflect.DeepEqual(got, c.want) || time.Duration(config.Actuator.Timeout) != c.timeout {
			t.Errorf("%s: %+v within %v, %v", text, got, time.Duration(config.Actuator.Timeout), err)
		}
	}
}

func TestAWrongActuatorSaysWhatToWrite(t *testing.T) {
	empty := written(t, "\n")
	for text, want := range map[string]string{
		`{"gpio":{"line":17}}`:                                                                      "needs a chip and a line",
		`{"gpio":{"chip":"pinctrl-rp1"}}`:                                                           "needs a chip and a line",
		`{"gpio":{"chip":"pinctrl-rp1","line":-1}}`:                                                 "needs a chip and a line",
		`{"gpio":{"chip":"pinctrl-rp1","line":1,"pulse":"11s"}}`:                                    "at most 10s",
		`{"gpio":{"chip":"pinctrl-rp1","line":1,"passage":{}}}`:                                     "needs a chip and a line",
		`{"gpio":{"chip":"pinctrl-rp1","line":1,"passage":{"line":1}}}`:                             "another line",
		`{"gpio":{"chip":"pinctrl-rp1","line":1,"pulse":"3s","passage":{"line":2,"timeout":"1s"}}}`: "at least the pulse",
		`{"gpio":{"chip":"pinctrl-rp1","line":1,"passage":{"line":2}},"timeout":"5s"}`:              "longer than the 5s",
		`{"gpio":{"chip":"pinctrl-rp1","line":1,"hold":"1s"}}`:                                      "hold",
		`{"gpio":{"chip":"pinctrl-rp1","line":1},"relay":{"path":"/dev/ttyUSB0","channel":1}}`:      "not several",
		`{"relay":{"channel":1}}`:                                                                   "/dev/ttyUSB0",
		`{"relay":{"path":"/dev/ttyUSB0"}}`:                                                         "channel from 1 on",
		`{"relay":{"path":"/dev/ttyUSB0","channel":256}}`:                                           "channel from 1 on",
		`{"relay":{"path":"/dev/ttyUSB0","channel":1,"on":"a"}}`:                                    "channel from 1 on",
		`{"relay":{"path":"/dev/ttyUSB0","on":"a"}}`:                                                "channel from 1 on",
		`{"relay":{"path":"/dev/ttyUSB0","channel":1,"pulse":"20s"}}`:                               "at most 10s",
		`{"relay":{"path":"/dev/ttyUSB0","channel":1},"timeout":"500ms"}`:                           "longer than the 500ms",
		`{"mqtt":{"topic":"gate/open"}}`:                                                            "mqtts://broker.example",
		`{"mqtt":{"broker":"http://a","topic":"gate/open"}}`:                                        "not \"http\"",
		`{"mqtt":{"broker":"mqtt://a:secret@b","topic":"gate/open"}}`:                               "mqtts://broker.example",
		`{"mqtt":{"broker":"mqtt://a","topic":"gate/#"}}`:                                           "such as gate/open",
		`{"mqtt":{"broker":"mqtt://a","topic":"a","reply":"a"}}`:                                    "such as gate/open",
		`{"mqtt":{"broker":"mqtt://a","topic":"a","user":"u"}}`:                                     "user and password_file",
		`{"mqtt":{"broker":"mqtt://a","topic":"a","user":"u","password_file":"/none"}}`:             "password_file",
		`{"mqtt":{"broker":"mqtt://a","topic":"a","user":"u","password_file":"` + empty + `"}}`:     "1 to 1024 bytes",
		`{"mqtt":{"broker":"mqtt://a","topic":"a","client":"` + strings.Repeat("x", 1025) + `"}}`:   "at most 1024",
		`{"mqtt":{"broker":"mqtt://a","topic":"a","ca_file":"` + empty + `"}}`:                      "mqtts://",
		`{"mqtt":{"broker":"mqtts://a","topic":"a","ca_file":"` + empty + `"}}`:                     "no certificate",
		`{"mqtt":{"broker":"mqtts://a","topic":"a","ca_file":"/none"}}`:                             "ca_file",
	} {
		if _, err := opening(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
