package bridge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kiosk.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestAConfigurationReads(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("sixteen bytes of secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{"product":"gate","readers":[{"driver":"pcsc"}]}`,
		`{"product":"gate","readers":[{"driver":"pcsc","name":"ACS*"},{"driver":"serial","path":"/dev/ttyUSB0"},{"driver":"lines","path":"/dev/ttyACM0","format":"decimal"},
			{"driver":"keyboard","path":"/dev/input/event3","format":"decimal10","name":"counter"},{"driver":"stdin"},
			{"driver":"pn532","path":"/dev/ttyAMA0"},{"driver":"exec","exec":["/usr/local/bin/reader","-v"],"format":"facility"}],
			"actuator":{"exec":["/bin/true"],"timeout":"500ms"},"patience":"1s","capture_unknown":true}`,
		`{"product":"gate","readers":[{"driver":"pcsc"}],"screen":"127.0.0.1:8404","actuator":{"browser":true,"while_card":true}}`,
		`{"product":"gate","readers":[{"driver":"pcsc"}],"actuator":{"webhook":"http://127.0.0.1:9/open","secret_file":"` + secret + `"}}`,
	} {
		c, err := load(t, text)
		if err != nil || c.Patience <= 0 || c.Actuator.Timeout <= 0 {
			t.Errorf("%s: %+v, %v", text, c, err)
		}
	}
	if c, err := load(t, `{"product":"gate","readers":[{"driver":"pcsc"}]}`); err != nil || time.Duration(c.Patience) != 3*time.Second {
		t.Errorf("the defaults are %+v, %v", c, err)
	}
}

func TestAWrongConfigurationSaysWhatToWrite(t *testing.T) {
	const readers = `"readers":[{"driver":"pcsc"}]`
	for text, want := range map[string]string{
		`{` + readers + `}`:  "such as gate",
		`{"product":"gate"}`: `{"driver": "pcsc"}`,
		`{"product":"gate","readers":[{"driver":"nfc"}]}`:                                                                        "pcsc, pn532, serial, lines, keyboard, exec or stdin",
		`{"product":"gate","readers":[{"driver":"serial"}]}`:                                                                     "such as /dev/ttyUSB0",
		`{"product":"gate","readers":[{"driver":"pn532"}]}`:                                                                      "such as /dev/ttyUSB0",
		`{"product":"gate","readers":[{"driver":"exec","path":"/bin/cat"}]}`:                                                     "needs a program",
		`{"product":"gate","readers":[{"driver":"stdin","format":"roman"}]}`:                                                     "decimal10",
		`{"product":"gate",` + readers + `,"actuator":{"webhook":"http://a","exec":["b"]}}`:                                      "not several",
		`{"product":"gate",` + readers + `,"actuator":{"webhook":"http://a","secret_file":"/no"}}`:                               "secret_file",
		`{"product":"gate",` + readers + `,"actuator":{"webhook":"http://a","secret_file":"/dev/null"}}`:                         "needs 16",
		`{"product":"gate",` + readers + `,"actuator":{"browser":true}}`:                                                         "needs a screen",
		`{"product":"gate",` + readers + `,"screen":"127.0.0.1:1","actuator":{"while_card":true}}`:                               "for the actuator browser",
		`{"product":"gate","readers":[{"driver":"stdin"}],"screen":"127.0.0.1:1","actuator":{"browser":true,"while_card":true}}`: "pcsc, pn532 or serial",
		`{"product":"gate",` + readers + `,"patience":"1h"}`:                                                                     "at most a minute",
		`{"product":"gate",` + readers + `,"metrics":"9404"}`:                                                                    "127.0.0.1:9404",
		`{"product":"gate",` + readers + `,"colour":"red"}`:                                                                      "colour",
		`hello`: "kiosk.json",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
