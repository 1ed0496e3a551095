package press

import (
	"crypto/rand"
	"strings"
)

// Hole is a place for a value.
type Hole struct {
	// Mark is what stands in the place while the text is written, as often as
	// the value does: one of [Mark], or a text that nothing else in it can be.
	Mark string

	// Escape writes the value as its place needs it.
	Escape Escape
}

// Mark draws a mark that no escaper changes: 26 letters and digits. It is
// random, so that no text of an operator's can hold it.
func Mark() string { return rand.Text() }

// Press is a text with holes. The zero Press is the empty text.
type Press struct {
	pieces []piece
	end    string
	size   int // of the text without values
}

// piece is text, and the hole that follows it.
type piece struct {
	text   string
	hole   int // an index of Append's values
	escape Escape
}

// Cut cuts a text at the marks of its holes. A hole may be there several times,
// or not at all.
func Cut(text string, holes ...Hole) Press {
	var p Press
	for {
		at, next := len(text), -1
		for i, h := range holes {
			if found := strings.Index(text, h.Mark); found >= 0 && found < at {
				at, next = found, i
			}
		}
		p.size += at
		if next < 0 {
			p.end = text
			return p
		}
		p.pieces = append(p.pieces, piece{text[:at], next, holes[next].Escape})
		text = text[at+len(holes[next].Mark):]
	}
}

// Append appends the text to dst, with values in the order of the holes. It
// panics where a value is missing.
func (p Press) Append(dst []byte, values ...string) []byte {
	for _, piece := range p.pieces {
		dst = append(dst, piece.text...)
		dst = piece.escape(dst, values[piece.hole])
	}
	return append(dst, p.end...)
}

// Size is the length in bytes of the text without its values.
func (p Press) Size() int { return p.size }
