package meter

import (
	"encoding/binary"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The message of a sealed quote, which travels in 402s and comes back with the
// payment: a byte that names the format, the 16 bytes of the id, six numbers
// (price, visits, price and validity of the bundle, window, expiry; the lengths
// of time in seconds, the expiry in milliseconds since 1970) as unsigned
// varints of encoding/binary, and the rule's name, the resource and the address
// to go back to, each after its length. It is half as long as JSON, and no text
// in it changes on the way.
const messageFormat = 1

func (q Quote) appendMessage(message []byte) []byte {
	message = append(append(message, messageFormat), q.ID[:]...)
	for _, number := range [...]int64{
		int64(q.Rule.Price), int64(q.Rule.Bundle.Visits), int64(q.Rule.Bundle.Price), int64(q.Rule.Bundle.Validity / time.Second),
		int64(q.Rule.Window / time.Second), q.Expires.UnixMilli(),
	} {
		message = binary.AppendUvarint(message, uint64(number))
	}
	for _, text := range [...]string{q.Rule.Name, q.Resource, q.Return} {
		message = append(binary.AppendUvarint(message, uint64(len(text))), text...)
	}
	return message
}

// readMessage reads what appendMessage wrote; ok is false for anything else.
func readMessage(message []byte) (q Quote, ok bool) {
	if len(message) <= len(q.ID) || message[0] != messageFormat {
		return Quote{}, false
	}
	r := messageReader{message[1:]}
	copy(q.ID[:], r.next(uint64(len(q.ID))))
	q.Rule.Price = wallet.Amount(r.number())
	q.Rule.Bundle.Visits = int(r.number())
	q.Rule.Bundle.Price = wallet.Amount(r.number())
	q.Rule.Bundle.Validity = time.Duration(r.number()) * time.Second
	q.Rule.Window = time.Duration(r.number()) * time.Second
	q.Expires = time.UnixMilli(r.number())
	q.Rule.Name, q.Resource, q.Return = r.text(), r.text(), r.text()
	return q, r.rest != nil && len(r.rest) == 0
}

// messageReader reads a message from its beginning. Past the end, or at what is
// not what it should be, it has no rest, and reads zeros from then on.
type messageReader struct {
	rest []byte
}

func (r *messageReader) next(n uint64) []byte {
	if uint64(len(r.rest)) < n {
		r.rest = nil
		return nil
	}
	read := r.rest[:n]
	r.rest = r.rest[n:]
	return read
}

func (r *messageReader) number() int64 {
	number, length := binary.Uvarint(r.rest)
	if length <= 0 {
		r.rest = nil
		return 0
	}
	r.rest = r.rest[length:]
	return int64(number)
}

func (r *messageReader) text() string {
	length := r.number()
	return string(r.next(uint64(length)))
}
