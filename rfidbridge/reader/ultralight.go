package reader

import (
	"bytes"
	"errors"
	"net/url"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/ndef"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// The user memory of an Ultralight AES, in pages of four bytes, and how many bytes the
// reader's command for them answers.
const (
	firstPage   = 4
	mostPages   = 36
	pagesAtOnce = 16
)

// marked reports whether an Ultralight shows an address of a paywall: such a card was made
// by one, and a challenge does it no harm.
func marked(to card.Exchange) (bool, error) {
	var area []byte
	for page := firstPage; page < firstPage+mostPages; page += pagesAtOnce / 4 {
		part, err := ask(to, []byte{0xFF, 0xB0, 0x00, byte(page), pagesAtOnce})
		if errors.Is(err, errStatus) {
			break
		}
		if err != nil {
			return false, err
		}
		area = append(area, part...)
		if len(part) < pagesAtOnce || bytes.IndexByte(part, ndef.Terminator) >= 0 {
			break
		}
	}
	message, err := ndef.Area(area)
	if err != nil {
		return false, nil //nolint:nilerr // what is no message is no mark
	}
	address, err := ndef.URI(message)
	if err != nil {
		return false, nil //nolint:nilerr // likewise
	}
	parsed, err := url.Parse(address)
	return err == nil && parsed.Path == wire.TapURLPath, nil
}

var errThrough = errors.New("the reader does not carry the card's own frames")

// through carries the frames of an Ultralight to it, through a reader that speaks of them as
// the PN532 does: InCommunicateThru (NXP UM0701-02, 7.3.9) within a command, as ACS's do. A
// write is the reader's own command (PC/SC part 3, 3.2.2.1.9), because its answer has four
// bits, which do not come through.
func through(to card.Exchange) card.Exchange {
	const most = 64
	return func(frame []byte) ([]byte, error) {
		if len(frame) > most {
			return nil, errThrough
		}
		if len(frame) == writeFrame && frame[0] == 0xA2 {
			return writePage(to, frame[1], frame[2:])
		}
		answer, err := ask(to, append([]byte{0xFF, 0x00, 0x00, 0x00, byte(len(frame) + 2), 0xD4, 0x42}, frame...))
		switch {
		case err != nil:
			return nil, err
		case len(answer) < 3 || answer[0] != 0xD5 || answer[1] != 0x43 || answer[2] != 0x00:
			return nil, errThrough
		}
		return answer[3:], nil
	}
}

const writeFrame = 2 + 4

// writePage answers as the chip does: that it has, or that it has not.
func writePage(to card.Exchange, page byte, data []byte) ([]byte, error) {
	_, err := ask(to, append([]byte{0xFF, 0xD6, 0x00, page, byte(len(data))}, data...))
	switch {
	case errors.Is(err, errStatus):
		return []byte{0x00}, nil
	case err != nil:
		return nil, err
	}
	return []byte{0x0A}, nil
}
