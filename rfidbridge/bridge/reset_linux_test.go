package bridge

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
)

// A kiosk that was killed while its gate was open shuts it when it starts again, and says so
// where it cannot.
func TestAKioskBeginsWithItsGateShut(t *testing.T) {
	far, path := serialtest.Open(t)
	relay := &actuator.SerialRelay{Path: path, Off: []byte("OFF\n")}
	var log bytes.Buffer
	b := &Bridge{desk: &tap.Desk{Actuator: relay}, log: slog.New(slog.NewTextHandler(&log, nil))}
	b.reset(t.Context())
	said := make([]byte, 4)
	if err := far.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, said); err != nil || string(said) != "OFF\n" || log.Len() > 0 {
		t.Errorf("it says %q, %v: %s", said, err, &log)
	}
	relay.Path = path + "none"
	if b.reset(t.Context()); !strings.Contains(log.String(), "cannot be brought to rest") {
		t.Errorf("of a relay that is not there is said %q", &log)
	}
}
