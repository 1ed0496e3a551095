package local

import (
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// corrupt is an error that wraps ErrCorrupt and tells the operator what to do.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s; copy the directory before anything else, check the disk, "+
		"and restore the ledger from a backup", wallet.ErrCorrupt, fmt.Sprintf(format, args...))
}

// unavailable is an error that wraps ErrUnavailable and its cause.
func unavailable(cause error) error {
	return fmt.Errorf("%w: %w", wallet.ErrUnavailable, cause)
}
