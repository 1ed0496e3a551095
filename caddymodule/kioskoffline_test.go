package caddymodule

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func readKiosks(text string) (Kiosks, error) {
	var k Kiosks
	d := caddyfile.NewTestDispenser("kiosks {\nproduct gate 0.10\n" + text + "\n}")
	d.Next()
	return k, k.unmarshal(d)
}

func TestWhatKiosksGrantByThemselvesIsConfigured(t *testing.T) {
	k, err := readKiosks("offline {\nlease 5.00 6h\nrisk 2.00 5.00 3\ntotal 100.00 50\nage 1h\ndenied 2h\nproof uid\n}")
	want := kiosk.Offline{
		Lease: 5 * wallet.Unit, LeaseFor: 6 * time.Hour, Proof: kiosk.TierUID, Age: time.Hour, Denied: 2 * time.Hour,
		Risk: kiosk.Risk{Tap: 2 * wallet.Unit, Card: 5 * wallet.Unit, Taps: 3, Total: 100 * wallet.Unit, Count: 50},
	}
	if err != nil || k.offline == nil || *k.offline != want {
		t.Errorf("it is %+v, %v", k.offline, err)
	}
	k, err = readKiosks("offline {\nlease 5.00\n}")
	want = kiosk.Offline{Lease: 5 * wallet.Unit, LeaseFor: 12 * time.Hour, Proof: kiosk.TierMutual, Age: 12 * time.Hour, Denied: 24 * time.Hour}
	if err != nil || k.offline == nil || *k.offline != want {
		t.Errorf("by default it is %+v, %v", k.offline, err)
	}
	if k, err = readKiosks(""); err != nil || k.offline != nil {
		t.Errorf("without the option it is %+v, %v", k.offline, err)
	}
	for text, says := range map[string]string{
		"offline {\n}":                                          "a lease, a risk, or both",
		"offline {\nlease 0\n}":                                 "above zero",
		"offline {\nlease lots\n}":                              "amount",
		"offline {\nlease 1 1s\n}":                              "a minute to",
		"offline {\nrisk 2.00 1.00 3\n}":                        "at least as much",
		"offline {\nrisk 2.00 3.00 0\n}":                        "1 to 1000 taps",
		"offline {\nrisk 2.00 3.00 many\n}":                     "many",
		"offline {\nlease 1\nproof sun\n}":                      "uid or mutual",
		"offline {\nlease 1\nage 900h\n}":                       "at most",
		"offline {\nlease 1\nlease 2\n}":                        "twice",
		"offline {\nlease 1\ntotal 1 1\n}":                      "needs risk",
		"offline {\nlease 1\ncolour red\n}":                     "colour",
		"offline {\nlease 1\n}\noffline {\nlease 1\n}":          "once",
		"offline {\nrisk 2.00 5.00 3\ntotal 4.00 10\nage 1h\n}": "at least as much",
	} {
		if _, err := readKiosks(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}
