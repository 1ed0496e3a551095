package caddymodule

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A receipt lets a reader read again what is paid for without asking the
// ledger, so that it works while the ledger does not. It is a cookie for the
// page's path alone, of the end of the grant, the wallet, and a tag over
// both and the resource under a key of their own (HMAC-SHA256). It spends
// nothing: who steals one can read one page. A reader gets it with an answer
// that nothing takes back any more: one that is paid for and delivered.
const (
	receiptCookie = "paywall-receipt"
	securePrefix  = "__Secure-" // __Host- would demand the path /

	receiptLabel = "receipt"
	receiptHead  = 8 + len(wallet.WalletID{})
	receiptSize  = receiptHead + wallet.TagSize

	maxReceipts    = 4   // looked at in one request: those of the paths above come along
	maxReceiptPath = 512 // bytes; browsers ignore longer attributes
)

// receipted reports whether the request carries a receipt for the resource, and
// whose. A request that pays by sending a token is for credentialOf to judge.
func (s *sale) receipted() bool {
	if token, err := bearerToken(presented(s.r)); token != "" || err != nil {
		return false
	}
	looked := 0
	for value := range cookieValues(s.r, receiptName(s.r)) {
		if looked++; looked > maxReceipts {
			return false
		}
		if id, ok := s.keys.openReceipt(value, s.resource, s.app.now()); ok {
			s.wallet = id
			return true
		}
	}
	return false
}

// giveReceipt sets the receipt's cookie in an answer.
func (s *sale) giveReceipt(header http.Header) {
	path, _, _ := strings.Cut(s.back, "?")
	until := s.standing.GrantedUntil
	age := until.Sub(s.app.now())
	if len(path) > maxReceiptPath || age < time.Second {
		return
	}
	cookie := http.Cookie{ //nolint:gosec // Secure wherever the client speaks TLS
		Name: receiptName(s.r), Value: s.keys.sealReceipt(s.wallet, s.resource, until), Path: path,
		MaxAge: int(age / time.Second), Secure: secure(s.r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if text := cookie.String(); text != "" {
		header.Add("Set-Cookie", text)
	}
}

func receiptName(r *http.Request) string {
	if secure(r) {
		return securePrefix + receiptCookie
	}
	return receiptCookie
}

// sealReceipt writes a receipt, in unpadded URL-safe base64.
func (k *keys) sealReceipt(id wallet.WalletID, resource string, until time.Time) string {
	head := make([]byte, 0, receiptSize+len(resource))
	head = append(binary.BigEndian.AppendUint64(head, uint64(until.UnixMilli())), id[:]...)
	tag := k.receipts.Sign(append(head, resource...))
	return base64.RawURLEncoding.EncodeToString(append(head, tag[:]...))
}

// openReceipt reads a receipt for a resource.
func (k *keys) openReceipt(text, resource string, now time.Time) (id wallet.WalletID, ok bool) {
	if base64.RawURLEncoding.DecodedLen(len(text)) != receiptSize {
		return id, false
	}
	raw, err := base64.RawURLEncoding.Strict().AppendDecode(make([]byte, 0, receiptSize+len(resource)), []byte(text))
	if err != nil || len(raw) != receiptSize {
		return id, false
	}
	head, tag := raw[:receiptHead], [wallet.TagSize]byte(raw[receiptHead:])
	until := time.UnixMilli(int64(binary.BigEndian.Uint64(head)))
	if !now.Before(until) || !k.receipts.Verify(append(head, resource...), tag[:]) {
		return id, false
	}
	return wallet.WalletID(raw[8:receiptHead]), true
}
