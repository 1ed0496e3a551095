package pn532_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pn532"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pn532/pn532test"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial"
)

const exchange = 0x40

func start(t *testing.T) (*pn532test.Board, *pn532.Device) {
	t.Helper()
	board, path := pn532test.Start(t)
	port, err := serial.Open(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	device, err := pn532.Open(port)
	if err != nil {
		t.Fatal(err)
	}
	return board, device
}

// mirror is a card that answers what it is told.
func mirror() *pn532test.Card {
	return &pn532test.Card{UID: []byte{4, 1, 2, 3, 4, 5, 6}, SAK: 0x20, Transmit: bytes.Clone}
}

func find(t *testing.T, device *pn532.Device) *pn532.Target {
	t.Helper()
	found, err := device.Find()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestACardIsFoundTalkedToAndMissed(t *testing.T) {
	board, device := start(t)
	if found := find(t, device); found != nil {
		t.Fatalf("it finds %v, and there is none", found)
	}
	board.Lay(mirror())
	found := find(t, device)
	if found == nil || !bytes.Equal(found.UID, []byte{4, 1, 2, 3, 4, 5, 6}) || !found.Commands() {
		t.Fatalf("it finds %v", found)
	}
	for _, n := range []int{1, 5, 200, 251, 252, 253, 261} { // an APDU has at most 261 bytes
		command := slices.Repeat([]byte{0x5A}, n)
		if answer, err := device.Exchange(command); err != nil || !bytes.Equal(answer, command) {
			t.Errorf("of %d bytes come %d, %v", n, len(answer), err)
		}
	}
	if _, err := device.Exchange(make([]byte, 263)); err == nil {
		t.Error("a command is carried that is longer than the chip takes")
	}
	if answer, err := device.Through([]byte{0x30, 0x04}); err != nil || !bytes.Equal(answer, []byte{0x30, 0x04}) {
		t.Errorf("through it comes %x, %v", answer, err)
	}
	if there, err := device.Present(); err != nil || !there {
		t.Errorf("it lies there: %v, %v", there, err)
	}
	board.Lay(nil)
	if there, err := device.Present(); err != nil || there {
		t.Errorf("it was taken away: %v, %v", there, err)
	}
	if _, err := device.Exchange([]byte{1}); !errors.Is(err, pn532.ErrCard) {
		t.Errorf("a command to nobody: %v", err)
	}
	board.Lay(mirror())
	if find(t, device) == nil {
		t.Error("the next card is not found")
	}
}

// A noisy line costs time and nothing else: no command reaches the card twice.
func TestNoiseIsPassedOver(t *testing.T) {
	board, device := start(t)
	board.Lay(mirror())
	find(t, device)
	for i, noise := range [][]byte{{0x00}, {0xFF, 0x00}, {0x00, 0x00, 0xFF}, {0x00, 0xFF, 0x05}, {0x00, 0x00, 0xFF, 0xFF, 0xFF, 0x01}, bytes.Repeat([]byte{0x55}, 100)} {
		board.Noise(noise)
		board.Damage(i % 3)
		command := []byte{1, 2, byte(i)}
		if answer, err := device.Exchange(command); err != nil || !bytes.Equal(answer, command) {
			t.Errorf("behind %x comes %x, %v", noise, answer, err)
		}
		if board.Count(exchange) != i+1 {
			t.Errorf("%d commands reach the card as %d", i+1, board.Count(exchange))
		}
	}
}

// The attack: an answer that came too late, of the card before, is taken for the next one's.
func TestALateAnswerIsNobodys(t *testing.T) {
	board, device := start(t)
	board.Lay(mirror())
	find(t, device)
	board.Damage(10)
	if answer, err := device.Exchange([]byte{1}); err == nil {
		t.Errorf("what stays damaged is believed: %x", answer)
	}
	board.Damage(0)
	if answer, err := device.Exchange([]byte{2}); err == nil {
		t.Errorf("it goes on, with %x", answer)
	}
	if _, err := device.Find(); err == nil {
		t.Error("it looks for another card")
	}
}

func TestALineWithoutABoardSaysSo(t *testing.T) {
	board, device := start(t)
	board.Silence(true)
	begun := time.Now()
	if _, err := device.Find(); !errors.Is(err, pn532.ErrSilent) || time.Since(begun) > 5*time.Second {
		t.Errorf("it says %v after %v", err, time.Since(begun))
	}
	board, device = start(t)
	board.Unplug()
	if _, err := device.Find(); err == nil || errors.Is(err, pn532.ErrSilent) {
		t.Errorf("of a line that is cut: %v", err)
	}
}
