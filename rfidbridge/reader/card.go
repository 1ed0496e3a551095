package reader

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/ndef"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// The commands that read what a card shows to a phone (NFC Forum, type 4 tag), and the
// reader's own that reads its number (PC/SC part 3).
var (
	getUID     = []byte{0xFF, 0xCA, 0x00, 0x00, 0x00}
	selectNDEF = []byte{0x00, 0xA4, 0x04, 0x00, 0x07, 0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00}
	selectFile = []byte{0x00, 0xA4, 0x00, 0x0C, 0x02, 0xE1, 0x04}
)

const (
	mostFile = 2048
	atOnce   = 0x80 // bytes of one READ BINARY: less than any card's frame
)

var (
	errStatus = errors.New("the card answers with another status than success")
	errNative = fmt.Errorf("%w: but for a command of its own", errStatus)
	errFile   = errors.New("the card's file is longer than those of tags")
)

// laid is a card on a reader.
type laid struct {
	exchange card.Exchange
	storage  bool // the reader plays the card's commands
	since    time.Time
}

// reading is how cards are read, whatever reader they lie on; see [PCSC].
type reading struct {
	bank  *emv.Terminal
	chips bool
	took  func(time.Duration)
}

// tell reads a card, and tells of it and of how long that took.
func (r reading) tell(sink Sink, name string, l laid) {
	shown, exchange, err := r.read(l)
	if err != nil {
		sink.Unread(name, err)
		return
	}
	if r.took != nil {
		r.took(time.Since(l.since))
	}
	sink.Arrived(name, shown, exchange)
}

// read finds out what a card shows, and how it is talked to then.
func (r reading) read(l laid) (wire.Card, card.Exchange, error) {
	if r.chips {
		return readChip(l.exchange, l.storage)
	}
	shown, err := readCard(l.exchange, l.storage, r.bank)
	if shown.Kind == card.KindUltralight {
		return shown, through(l.exchange), err
	}
	return shown, l.exchange, err
}

// readCard finds out what a card shows: a SUN message in its address, else its number and
// whether it has something of this site's with which it can prove itself; of a bank card,
// where there is a terminal for them, its token. storage: the reader plays the card's
// commands.
func readCard(to card.Exchange, storage bool, bank *emv.Terminal) (wire.Card, error) {
	if !storage {
		if shown, err := readSUN(to); err != nil || shown.SUN {
			return shown, err
		}
	}
	answer, err := ask(to, getUID)
	if err != nil {
		return wire.Card{}, err
	}
	shown := wire.Card{}
	if shown.UID, err = uid.New(answer); err != nil {
		return wire.Card{}, err
	}
	if shown.Kind, err = kindOf(to, storage); err != nil || shown.Kind != "" || storage || bank == nil {
		return shown, err
	}
	return readBankCard(to, shown, bank)
}

// readBankCard has a card prove that it is a bank card. One that does not say so, or that
// proves nothing, is one by its number; one that has lied is none.
func readBankCard(to card.Exchange, numbered wire.Card, bank *emv.Terminal) (wire.Card, error) {
	token, err := bank.Token(to)
	switch {
	case err == nil:
		return wire.Card{Token: token, Bank: true}, nil
	case errors.Is(err, emv.ErrNoBankCard) || errors.Is(err, emv.ErrUnproven):
		return numbered, nil
	}
	return wire.Card{}, err
}

// kindOf is the kind of a card without a SUN message, where it has something of this site's.
func kindOf(to card.Exchange, storage bool) (card.Kind, error) {
	if storage {
		ours, err := marked(to)
		if ours {
			return card.KindUltralight, err
		}
		return "", err
	}
	_, err := ask(to, card.SelectApplication())
	switch {
	case errors.Is(err, errNative): // of a DESFire's own: done
		return card.KindDESFire, nil
	case errors.Is(err, errStatus):
		return "", nil
	}
	return "", err
}

// readSUN reads the address that a card shows. A card without one, or with one that is no
// SUN message, is no error.
func readSUN(to card.Exchange) (wire.Card, error) {
	for _, command := range [][]byte{selectNDEF, selectFile} {
		if _, err := ask(to, command); errors.Is(err, errStatus) {
			return wire.Card{}, nil
		} else if err != nil {
			return wire.Card{}, err
		}
	}
	file, err := readFile(to)
	if errors.Is(err, errStatus) || errors.Is(err, errFile) {
		return wire.Card{}, nil
	}
	if err != nil {
		return wire.Card{}, err
	}
	message, err := ndef.File(file)
	if err != nil {
		return wire.Card{}, nil //nolint:nilerr // what is no message is no SUN message
	}
	address, err := ndef.URI(message)
	if err != nil {
		return wire.Card{}, nil //nolint:nilerr // likewise
	}
	shown, _ := wire.AtAddress(address)
	return shown, nil
}

// readFile reads the selected file, whose length is in its first two bytes.
func readFile(to card.Exchange) ([]byte, error) {
	file, err := ask(to, []byte{0x00, 0xB0, 0x00, 0x00, 0x02})
	if err != nil {
		return nil, err
	}
	if len(file) != 2 {
		return nil, errStatus
	}
	length := 2 + int(file[0])<<8 + int(file[1])
	if length > mostFile {
		return nil, errFile
	}
	for len(file) < length {
		n := min(atOnce, length-len(file))
		part, err := ask(to, []byte{0x00, 0xB0, byte(len(file) >> 8), byte(len(file)), byte(n)})
		if err != nil {
			return nil, err
		}
		if len(part) == 0 || len(part) > n {
			return nil, errStatus
		}
		file = append(file, part...)
	}
	return file, nil
}

// ask sends a command and returns the answer without its status.
func ask(to card.Exchange, command []byte) ([]byte, error) {
	answer, err := to(command)
	if err != nil {
		return nil, err
	}
	end := len(answer) - 2
	if end >= 0 && answer[end] == 0x91 && answer[end+1] == 0x00 {
		return nil, errNative
	}
	if end < 0 || answer[end] != 0x90 || answer[end+1] != 0x00 {
		return nil, errStatus
	}
	return answer[:end], nil
}
