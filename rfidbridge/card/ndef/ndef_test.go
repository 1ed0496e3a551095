package ndef

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// address is a message with one short record.
func address(prefix byte, rest string) []byte {
	return append([]byte{0xD1, 1, byte(len(rest) + 1), 'U', prefix}, rest...)
}

func TestTheAddressOfATapIsRead(t *testing.T) {
	const tap = "example.com/tap?p=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086"
	for what, c := range map[string]struct {
		message []byte
		want    string
	}{
		"a short record":         {address(4, tap), "https://" + tap},
		"without a prefix":       {address(0, "lnurlw://"+tap), "lnurlw://" + tap},
		"a long record":          {append([]byte{0xC1, 1, 0, 0, 0, 5, 'U', 2}, "a.bc"...), "https://www.a.bc"},
		"with an id":             {append([]byte{0xD9, 1, 5, 2, 'U', 'i', 'd', 4}, "a.bc"...), "https://a.bc"},
		"behind another":         {slices.Concat([]byte{0x91, 1, 3, 'T', 0x02, 'e', 'n', 0x51, 1, 5, 'U', 3}, []byte("a.bc")), "http://a.bc"},
		"with bytes behind it":   {append(address(4, "a.bc"), 0xFE, 0xFE), "https://a.bc"},
		"of the last known kind": {address(0x23, "x"), "urn:nfc:x"},
	} {
		if got, err := URI(c.message); err != nil || got != c.want {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		file := append([]byte{byte(len(c.message) >> 8), byte(len(c.message))}, c.message...)
		if inside, err := File(append(file, 0, 0, 0)); err != nil || !bytes.Equal(inside, c.message) {
			t.Errorf("%s: its file has %X, %v", what, inside, err)
		}
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	good := address(4, "a.bc")
	for n := range good {
		if got, err := URI(good[:n]); err == nil {
			t.Errorf("%d bytes of it are %q", n, got)
		}
	}
	for what, c := range map[string]struct {
		message []byte
		want    error
	}{
		"no address":               {[]byte{0xD1, 1, 3, 'T', 2, 'e', 'n'}, ErrNoURI},
		"an empty record":          {[]byte{0xD0, 0, 0}, ErrNoURI},
		"an address without bytes": {[]byte{0xD1, 1, 0, 'U'}, errMessage},
		"an unknown prefix":        {address(0x24, "x"), errMessage},
		"an address of nothing":    {address(0, ""), errMessage},
		"a blank in it":            {address(4, "a b"), errMessage},
		"a line's end in it":       {address(4, "a\r\nSet-Cookie:x"), errMessage},
		"other letters":            {address(4, "ä.bc"), errMessage},
		"a piece":                  {[]byte{0xB1, 1, 1, 'U', 4}, errChunked},
		"no beginning":             {[]byte{0x51, 1, 2, 'U', 4, 'a'}, errMessage},
		"two beginnings":           {[]byte{0x91, 1, 1, 'T', 0, 0xD1, 1, 2, 'U', 4, 'a'}, errMessage},
		"a length beyond the end":  {[]byte{0xC1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 'U', 4}, errMessage},
		"an id beyond the end":     {[]byte{0xD9, 1, 1, 0xFF, 'U', 4}, errMessage},
		"a long one":               {append([]byte{0xC1, 1, 0, 0, 0x10, 0, 'U', 4}, strings.Repeat("a", 4095)...), errMessage},
		"records without end":      {append([]byte{0x90, 0, 0}, bytes.Repeat([]byte{0x10, 0, 0}, 100)...), errMessage},
	} {
		if got, err := URI(c.message); !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	for _, file := range [][]byte{nil, {0}, {0, 5, 1}} {
		if _, err := File(file); err == nil {
			t.Errorf("%X is a file", file)
		}
	}
}

func FuzzURI(f *testing.F) {
	f.Add(address(4, "example.com/?p=00&c=11"))
	f.Add([]byte{0xC1, 1, 0, 0, 0, 5, 'U', 2, 'a', '.', 'b', 'c'})
	f.Fuzz(func(t *testing.T, message []byte) {
		uri, err := URI(message)
		if err == nil && (uri == "" || len(uri) > mostURI || strings.ContainsAny(uri, " \r\n\x00")) || err != nil && uri != "" {
			t.Errorf("%q, %v", uri, err)
		}
	})
}

// The memory of a type 2 card has its message in a block, which others may stand before.
func TestTheMessageOfAType2CardIsFound(t *testing.T) {
	message := []byte{0xD1, 0x01, 0x02, 'U', 0x04, 'a'}
	block := append([]byte{0x03, byte(len(message))}, message...)
	long := append([]byte{0x03, 0xFF, 0x00, byte(len(message))}, message...)
	for name, area := range map[string][]byte{
		"alone": block, "behind others": append([]byte{0x00, 0x01, 0x01, 0xAA}, block...), "with a long length": long, "with an end": append(block, Terminator),
	} {
		if got, err := Area(area); err != nil || !bytes.Equal(got, message) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	for name, area := range map[string][]byte{
		"nothing": nil, "an end": {Terminator, 0x03, 0x00}, "too short": {0x03, 0x05, 0xD1}, "half a length": {0x03, 0xFF, 0x00}, "another block": {0x01, 0x01, 0xAA},
	} {
		if got, err := Area(area); err == nil {
			t.Errorf("%s: %x", name, got)
		}
	}
}

func FuzzArea(f *testing.F) {
	f.Add([]byte{0x00, 0x03, 0x02, 0xD1, 0x01, 0xFE})
	f.Fuzz(func(t *testing.T, area []byte) {
		if message, err := Area(area); err == nil && len(message) > len(area) {
			t.Errorf("a message of %d bytes in %d", len(message), len(area))
		}
	})
}
