package issue

import (
	"bytes"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// The file of an NTAG 424 DNA that phones read, and its commands.
const (
	ntagFile = 0x02
	ntagSize = 256

	changeFileSettings = 0x5F
	writeData          = 0x8D

	atOnce = 128 // bytes of one command: less than any reader's frame
)

// factorySettings are those of the file as it is delivered: anybody may write it. Its size
// is in the last three bytes.
var factorySettings = []byte{0x00, 0x00, 0xE0, 0xEE, 0x00, 0x01, 0x00}

// sunAt is where in the file the card puts its message.
type sunAt struct{ picc, mac int }

const (
	piccSize = 2 * 16 // in hexadecimal
	macSize  = 2 * 8
)

// sunFile is the file with an address, behind which the card puts a SUN message.
func sunFile(address string) (file []byte, at sunAt, err error) {
	const picc, mac = "?picc=", "&cmac="
	record, err := uriRecord(address + picc + strings.Repeat("0", piccSize) + mac + strings.Repeat("0", macSize))
	if err != nil || strings.ContainsAny(address, "?#") || len(record)+2 > ntagSize {
		return nil, at, ErrURL
	}
	file = append([]byte{byte(len(record) >> 8), byte(len(record))}, record...)
	at.mac = len(file) - macSize
	at.picc = at.mac - len(mac) - piccSize
	return file, at, nil
}

// uriRecord is a message of one record with an address.
func uriRecord(address string) ([]byte, error) {
	code := byte(0x04)
	rest, https := strings.CutPrefix(address, "https://")
	if !https {
		var http bool
		if rest, http = strings.CutPrefix(address, "http://"); !http {
			return nil, ErrURL
		}
		code = 0x03
	}
	parsed, err := url.Parse(address)
	const most = 255 - 1
	if err != nil || parsed.Host == "" || len(rest) > most || !isPrintable(rest) {
		return nil, ErrURL
	}
	return append([]byte{0xD1, 0x01, byte(len(rest) + 1), 'U', code}, rest...), nil
}

func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// change is what ChangeFileSettings is told: anybody may read, key 0 write and change
// settings; number and counter are encrypted with key 1, and key 2 signs them and nothing
// else.
func (at sunAt) change() []byte {
	word := func(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }
	return slices.Concat([]byte{0x40, 0x00, 0xE0, 0xC1, 0xFF, 0x12}, word(at.picc), word(at.mac), word(at.mac))
}

// settings is what GetFileSettings answers then.
func (at sunAt) settings() []byte {
	change := at.change()
	return slices.Concat([]byte{0x00}, change[:3], factorySettings[4:], change[3:])
}

// shows reports whether a file is the one that is wanted, but for the message in it.
func (at sunAt) shows(file, want []byte) bool {
	if len(file) != len(want) {
		return false
	}
	file = bytes.Clone(file)
	copy(file[at.picc:][:piccSize], want[at.picc:])
	copy(file[at.mac:][:macSize], want[at.mac:])
	return bytes.Equal(file, want)
}

// readFile reads the file as phones do: its length, and what it says is in it. Of a file
// that says that it is empty, it is the beginning.
func (l link) readFile() ([]byte, error) {
	if _, err := l.must(isoDone, 0x00, 0xA4, 0x00, 0x0C, 0x02, 0xE1, 0x04); err != nil {
		return nil, err
	}
	file, err := l.must(isoDone, 0x00, 0xB0, 0x00, 0x00, atOnce)
	if err != nil {
		return nil, err
	}
	if len(file) < 2 || len(file) > atOnce {
		return nil, errAnswer
	}
	size := min(ntagSize, 2+int(file[0])<<8+int(file[1]))
	for len(file) < size {
		n := min(atOnce, size-len(file))
		part, err := l.must(isoDone, 0x00, 0xB0, byte(len(file)>>8), byte(len(file)), byte(n))
		if err != nil {
			return nil, err
		}
		if len(part) == 0 || len(part) > n {
			return nil, errAnswer
		}
		file = append(file, part...)
	}
	if size > 2 {
		file = file[:size]
	}
	return file, nil
}

// writeFile writes the file from its beginning on.
func (s session) writeFile(content []byte) error {
	for from := 0; from < len(content); from += atOnce {
		part := content[from:min(from+atOnce, len(content))]
		apdu, err := s.Plain(writeData, []byte{ntagFile, byte(from), byte(from >> 8), 0, byte(len(part)), 0, 0}, part)
		if err != nil {
			return err
		}
		answer, err := s.exchange(apdu)
		if err != nil {
			return err
		}
		if _, err := s.CheckPlain(answer); err != nil {
			return err
		}
	}
	return nil
}

// sunOf is the message in an address.
func sunOf(address string) (picc [16]byte, mac card.MAC, err error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return picc, mac, errAnswer
	}
	query := parsed.Query()
	one, err1 := hex.DecodeString(query.Get("picc"))
	other, err2 := hex.DecodeString(query.Get("cmac"))
	if err1 != nil || err2 != nil || len(one) != len(picc) || len(other) != len(mac) {
		return picc, mac, errAnswer
	}
	return [16]byte(one), card.MAC(other), nil
}
