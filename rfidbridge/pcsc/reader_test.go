package pcsc

import (
	"bytes"
	"testing"
)

// What a daemon says may be anything.
func FuzzReaders(f *testing.F) {
	entry := make([]byte, readerSize)
	copy(entry, "a reader")
	f.Add(entry)
	f.Add(bytes.Repeat([]byte{0xFF}, 2*readerSize))
	f.Fuzz(func(t *testing.T, table []byte) {
		readers, err := decodeReaders(table)
		if len(readers) > len(table)/readerSize || err != nil && readers != nil {
			t.Errorf("%d readers, %v", len(readers), err)
		}
		for _, r := range readers {
			if len(r.Name) == 0 || len(r.Name) >= nameSize || len(r.ATR) > atrSize || r.Present() != (len(r.ATR) > 0) {
				t.Errorf("%+v", r)
			}
		}
	})
}
