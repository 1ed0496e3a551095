package wallet

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// Digest is what a ledger keeps of a secret code (a voucher's, a wallet's
// recovery code): an HMAC-SHA256 under a key that the ledger does not hold, so
// that a stolen ledger opens nothing. The zero Digest is no code.
type Digest [32]byte

// digestOf is SHA-256 over the parts with their lengths, so that no two lists
// of parts run together to the same bytes.
func digestOf(first []byte, rest ...[]byte) Digest {
	h := sha256.New()
	writeParts(h, first, rest...)
	return Digest(h.Sum(nil))
}

func writeParts(h hash.Hash, first []byte, rest ...[]byte) {
	var length [8]byte
	for i := -1; i < len(rest); i++ {
		part := first
		if i >= 0 {
			part = rest[i]
		}
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
}
