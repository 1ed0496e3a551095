package bridge

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
)

// opening loads a configuration with an actuator.
func opening(t *testing.T, text string) (Config, error) {
	t.Helper()
	return load(t, `{"product":"gate","readers":[{"driver":"pcsc"}],"actuator":`+text+`}`)
}

func TestWhatOpensIsAsConfigured(t *testing.T) {
	on, off := actuator.LCUS(3)
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
	} {
		if _, err := opening(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
