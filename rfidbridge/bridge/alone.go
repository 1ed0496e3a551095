package bridge

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/offline"
)

const offlineFile = "offline"

// newAuthority is what grants taps where the paywall does not answer. A kiosk that has lost
// what it knew of cards knows none, and goes on.
func newAuthority(id *client.Identity, paywall *client.Client, log *slog.Logger) (*offline.Authority, error) {
	begun := time.Now()
	own, err := offline.New(offline.Options{
		Path: id.Beside(offlineFile), Key: id.Key(), Paywall: paywall,
		Now:   func() time.Time { return time.Now().Round(0) }, // as the machine's clock says, which may be set
		Since: func() time.Duration { return time.Since(begun) }, Random: rand.Reader, Log: log,
	})
	if errors.Is(err, offline.ErrState) {
		log.Error("this kiosk has to meet its cards anew", "error", err)
		err = nil
	}
	return own, err
}
