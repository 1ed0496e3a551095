package local

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A cursor is where the next page of a listing begins: eight bytes, and the
// first bytes of an HMAC over the listing's name and them. Without it a forged
// cursor could point into the middle of a record, at a note that somebody wrote
// to look like another wallet's entry.
const cursorTag = 12

func (id ledgerID) cursor(listing string, at uint64) string {
	raw := binary.BigEndian.AppendUint64(nil, at)
	mac := hmac.New(sha256.New, id[:])
	mac.Write(raw)
	mac.Write([]byte(listing))
	return base64.RawURLEncoding.EncodeToString(append(raw, mac.Sum(nil)[:cursorTag]...))
}

// readCursor returns where a page begins: zero for the empty cursor, and
// ErrInvalid for one that is not of this listing.
func (id ledgerID) readCursor(listing, cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	var at uint64
	if raw, err := base64.RawURLEncoding.DecodeString(cursor); err == nil && len(raw) == 8+cursorTag {
		at = binary.BigEndian.Uint64(raw)
	}
	if !hmac.Equal([]byte(id.cursor(listing, at)), []byte(cursor)) {
		return 0, fmt.Errorf("%w: %.40q is not a cursor of this listing", wallet.ErrInvalid, cursor)
	}
	return at, nil
}
