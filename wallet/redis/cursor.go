package redis

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A cursor is where the next page of a listing begins, and the first bytes of an HMAC
// over that and the listing's name, under the ledger's random id. Without it a forged
// cursor could point at another wallet's record.
const cursorTag = 12

func (l *Ledger) cursor(listing string, at uint64) string {
	raw := binary.BigEndian.AppendUint64(nil, at)
	mac := hmac.New(sha256.New, []byte(l.id))
	mac.Write(raw)
	mac.Write([]byte(listing))
	return base64.RawURLEncoding.EncodeToString(append(raw, mac.Sum(nil)[:cursorTag]...))
}

// readCursor returns where a page begins: at start where there is no cursor.
func (l *Ledger) readCursor(listing, cursor string, start uint64) (uint64, error) {
	if cursor == "" {
		return start, nil
	}
	var at uint64
	if raw, err := base64.RawURLEncoding.DecodeString(cursor); err == nil && len(raw) == 8+cursorTag {
		at = binary.BigEndian.Uint64(raw)
	}
	if !hmac.Equal([]byte(l.cursor(listing, at)), []byte(cursor)) {
		return 0, fmt.Errorf("%w: %.40q is not a cursor of this listing", wallet.ErrInvalid, cursor)
	}
	return at, nil
}
