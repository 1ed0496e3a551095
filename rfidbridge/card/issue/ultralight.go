package issue

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// The memory of a MIFARE Ultralight AES, in pages of four bytes (MF0AES(H)20, 8.5).
const (
	pageSize   = 4
	infoPage   = 3 // says that a message follows; its bits are set for ever
	userPage   = 4
	userPages  = 36
	configPage = 0x29 // its last byte is the first page that needs an authentication to be written
	keyPage    = 0x30
	openPage   = 0x3C // behind the last: nothing does
	readAtOnce = 4    // pages
)

// messageInfo is the page that says so: version 1.0, 144 bytes, to be read and written.
var messageInfo = []byte{0xE1, 0x10, userPages * pageSize / 8, 0x00}

// The frames.
const (
	frameRead  = 0x30
	frameWrite = 0xA2
	frameAck   = 0x0A // of four bits
)

// readPages reads four pages.
func (l link) readPages(page byte) ([]byte, error) {
	got, err := l.exchange([]byte{frameRead, page})
	if err == nil && len(got) != readAtOnce*pageSize {
		err = fmt.Errorf("%w: pages from %02X on", errRefused, page)
	}
	return got, err
}

// writePages writes data of whole pages. A card that does not let it is somebody else's.
func (l link) writePages(page byte, data []byte) error {
	for ; len(data) > 0; page, data = page+1, data[pageSize:] {
		answer, err := l.exchange(append([]byte{frameWrite, page}, data[:pageSize]...))
		if err != nil {
			return err
		}
		if len(answer) != 1 || answer[0] != frameAck {
			return fmt.Errorf("%w: page %02X cannot be written", ErrForeign, page)
		}
	}
	return nil
}

// ultralight is how far an Ultralight AES is.
type ultralight struct {
	uid    card.UID
	config []byte // the page
	first  byte   // page that needs an authentication
}

// readUltralight makes sure which chip it is, and asks, without a key.
func (l link) readUltralight() (u ultralight, err error) {
	version, err := l.exchange([]byte{0x60})
	if err != nil {
		return u, err
	}
	if !isUltralight(version) {
		return u, ErrKind
	}
	head, err := l.readPages(0)
	if err != nil {
		return u, err
	}
	u.uid = card.UID(append(head[:3:3], head[4:8]...)) // a byte that checks the first three is between
	config, err := l.readPages(configPage)
	if err != nil {
		return u, err
	}
	u.config, u.first = bytes.Clone(config[:pageSize]), config[3] // what was answered stays as it is
	return u, nil
}

// isUltralight reports whether a version is that of an Ultralight AES, of either antenna.
func isUltralight(version []byte) bool {
	return len(version) == 8 && bytes.Equal(version[:3], []byte{0x00, 0x04, 0x03}) && version[4] == 0x04
}

func (l link) personaliseUltralight(c Card) error {
	content, err := messageArea(c.URL)
	if err != nil {
		return err
	}
	u, err := l.readUltralight()
	if err != nil {
		return err
	}
	if u.uid != c.UID {
		return ErrOther
	}
	switch u.first {
	case userPage: // done before, but for the address perhaps
		if err := l.unlock(card.Online.Key(c.Keys)); err != nil {
			return err
		}
		return l.show(content)
	case openPage:
	default:
		return fmt.Errorf("%w: it is closed from page %02X on", ErrForeign, u.first)
	}
	if err := l.show(content); err != nil {
		return err
	}
	for i, key := range []card.Key{card.Online.Key(c.Keys), card.Offline.Key(c.Keys)} {
		if err := l.writeKey(i, key); err != nil {
			return err
		}
	}
	// The card is closed when it has shown that it has the keys: before, they can be
	// written again.
	if _, err := card.OpenUltralight(1, card.Offline.Key(c.Keys), l.random, l.exchange); err != nil {
		return check(err)
	}
	if err := l.unlock(card.Online.Key(c.Keys)); err != nil {
		return check(err)
	}
	u.config[3] = userPage
	if err := l.writePages(configPage, u.config); err != nil {
		return err
	}
	return l.prove(c)
}

// check is an error of a key that has just been written.
func check(err error) error {
	if errors.Is(err, card.ErrRefused) || errors.Is(err, card.ErrForged) {
		return fmt.Errorf("%w: %w", errCheck, err)
	}
	return err
}

// unlock authenticates with the first key, once.
func (l link) unlock(key card.Key) error {
	_, err := card.OpenUltralight(0, key, l.random, l.exchange)
	return foreign(err)
}

// show has the memory show an address, where it does not already.
func (l link) show(content []byte) error {
	for at := 0; at < len(content); at += readAtOnce * pageSize {
		page := byte(userPage + at/pageSize)
		part := content[at:min(at+readAtOnce*pageSize, len(content))]
		have, err := l.readPages(page)
		if err != nil {
			return err
		}
		if bytes.Equal(have[:len(part)], part) {
			continue
		}
		if err := l.writePages(page, part); err != nil {
			return err
		}
	}
	info, err := l.readPages(infoPage)
	if err != nil || bytes.Equal(info[:pageSize], messageInfo) {
		return err
	}
	return l.writePages(infoPage, messageInfo)
}

// messageArea is what is in the memory of a tag with an address: a message, its length
// before it and an end behind it, to whole pages.
func messageArea(address string) ([]byte, error) {
	record, err := uriRecord(address)
	if err != nil || len(record)+3 > userPages*pageSize || strings.ContainsAny(address, "?#") {
		return nil, ErrURL
	}
	area := append(append([]byte{0x03, byte(len(record))}, record...), 0xFE)
	return append(area, make([]byte, -len(area)&(pageSize-1))...), nil
}

// writeKey writes one of the two keys, which stand in the memory with their last byte first.
func (l link) writeKey(number int, key card.Key) error {
	stored := make([]byte, len(key))
	for i := range key {
		stored[len(key)-1-i] = key[i]
	}
	return l.writePages(keyPage+byte(number*len(key)/pageSize), stored)
}

func (l link) resetUltralight(c Card) error {
	u, err := l.readUltralight()
	if err != nil {
		return err
	}
	if u.uid != c.UID {
		return ErrOther
	}
	switch u.first {
	case userPage:
		if err := l.unlock(card.Online.Key(c.Keys)); err != nil {
			return err
		}
		u.config[3] = openPage // first: then what is left needs no key
		if err := l.writePages(configPage, u.config); err != nil {
			return err
		}
	case openPage:
	default:
		return fmt.Errorf("%w: it is closed from page %02X on", ErrForeign, u.first)
	}
	if err := l.writePages(userPage, make([]byte, userPages*pageSize)); err != nil {
		return err
	}
	for i := range 2 {
		if err := l.writeKey(i, card.Key{}); err != nil {
			return err
		}
	}
	return check(l.unlock(card.Key{}))
}
