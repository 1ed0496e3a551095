// Package pn532test plays a PN532 at the far end of a serial line, with cards that are laid
// on it and torn away, and a line that is noisy, damages what is said, and is unplugged.
package pn532test

import (
	"os"
	"sync"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
)

// Card is one that can lie on the board.
type Card struct {
	UID []byte
	SAK byte
	// Transmit answers a command, or a frame of a card without commands. nil: it was torn
	// away.
	Transmit func([]byte) []byte
	// Reset is called when the card loses the field; it may be nil.
	Reset func()
}

// Board is a PN532.
type Board struct {
	t   testing.TB
	far *os.File

	mu       sync.Mutex
	card     *Card
	active   bool // the card is
	field    bool
	awake    bool // it hears frames
	noise    []byte
	damaged  int // so many answers are
	silent   bool
	last     []byte // answer, to be said again
	commands []byte // that it was given
}

// Start makes a board on a line of its own, until the test ends.
func Start(t testing.TB) (b *Board, path string) {
	t.Helper()
	far, path := serialtest.Open(t)
	b = &Board{t: t, far: far}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.listen()
	}()
	t.Cleanup(func() { far.Close(); <-ended })
	return b, path
}

// Lay lays a card on the board; nil takes it away.
func (b *Board) Lay(c *Card) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reset()
	b.card = c
}

// Noise has some bytes on the line before each answer.
func (b *Board) Noise(bytes []byte) { b.mu.Lock(); b.noise = bytes; b.mu.Unlock() }

// Damage has the next answers come damaged.
func (b *Board) Damage(answers int) { b.mu.Lock(); b.damaged = answers; b.mu.Unlock() }

// Silence has the board answer nothing any more, or again.
func (b *Board) Silence(silent bool) { b.mu.Lock(); b.silent = silent; b.mu.Unlock() }

// Unplug cuts the line for good.
func (b *Board) Unplug() { b.far.Close() }

// Count is how often it was given a command.
func (b *Board) Count(command byte) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.commands {
		if c == command {
			n++
		}
	}
	return n
}

// reset is what happens to a card that loses the field.
func (b *Board) reset() {
	if b.card != nil && b.card.Reset != nil {
		b.card.Reset()
	}
	b.active = false
}

// transmit is the card's answer, none where it was torn away.
func (b *Board) transmit(command []byte) (answer []byte, there bool) {
	if b.card == nil || !b.active || !b.field {
		return nil, false
	}
	if answer = b.card.Transmit(command); answer == nil {
		b.reset()
		b.card = nil
		return nil, false
	}
	return answer, true
}
