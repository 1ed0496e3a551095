package pn532test

import (
	"bufio"
	"io"
	"slices"
)

// listen hears frames and answers them, until the line is cut. The frames that a host sends
// are read by the letter of the manual (UM0701-02, 6.2.1): it does not err.
func (b *Board) listen() {
	in := bufio.NewReader(b.far)
	for {
		first, err := in.ReadByte()
		if err != nil {
			return
		}
		b.mu.Lock()
		awake := b.awake || first == 0x55
		b.awake = awake
		b.mu.Unlock()
		if first != 0x00 || !awake {
			continue
		}
		if next, err := in.Peek(2); err != nil || next[0] != 0x00 || next[1] != 0xFF {
			continue // still waking up
		}
		if _, err := in.Discard(2); err != nil {
			return
		}
		if !b.hear(in) {
			return
		}
	}
}

// hear takes a frame behind its beginning.
func (b *Board) hear(in *bufio.Reader) (goesOn bool) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(in, head); err != nil {
		return false
	}
	length := int(head[0])
	switch {
	case head[0] == 0x00 && head[1] == 0xFF: // an acknowledgement: give up
		return true
	case head[0] == 0xFF && head[1] == 0x00: // what?
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.say(b.last)
	case head[0] == 0xFF && head[1] == 0xFF:
		long := make([]byte, 3)
		if _, err := io.ReadFull(in, long); err != nil {
			return false
		}
		if long[0]+long[1]+long[2] != 0 {
			b.t.Errorf("the length of a long frame is %x", long)
		}
		length = int(long[0])<<8 | int(long[1])
	case head[0]+head[1] != 0:
		b.t.Errorf("the length of a frame is %x", head)
	}
	content := make([]byte, length+2) // with checksum and end
	if _, err := io.ReadFull(in, content); err != nil {
		return false
	}
	if added(content) != 0 || content[length+1] != 0x00 || content[0] != 0xD4 {
		b.t.Errorf("a frame is %x", content)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands = append(b.commands, content[1])
	b.last = framed(b.answer(content[1], content[2:length]))
	return b.silent || b.write([]byte{0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00}) && b.say(b.last)
}

// say writes an answer as the line has it.
func (b *Board) say(frame []byte) bool {
	if b.silent || frame == nil {
		return true
	}
	frame = slices.Concat(b.noise, frame)
	if b.damaged > 0 {
		b.damaged--
		frame[len(frame)-3] ^= 0x10
	}
	half := len(frame) / 2
	return b.write(frame[:half]) && b.write(frame[half:])
}

func (b *Board) write(bytes []byte) bool {
	_, err := b.far.Write(bytes)
	return err == nil
}

// answer is what the chip answers to a command; nil: that it knows none such.
func (b *Board) answer(command byte, data []byte) []byte {
	const torn, negative = 0x01, 0x13
	switch {
	case command == 0x02:
		return []byte{0xD5, 0x03, 0x32, 0x01, 0x06, 0x07}
	case command == 0x14 && len(data) == 3 && data[0] == 0x01:
		return []byte{0xD5, 0x15}
	case command == 0x32 && len(data) == 2 && data[0] == 0x01:
		if b.field = data[1]&1 != 0; !b.field {
			b.reset()
		}
		return []byte{0xD5, 0x33}
	case command == 0x32 && len(data) == 4 && data[0] == 0x05:
		return []byte{0xD5, 0x33}
	case command == 0x4A && len(data) == 2 && data[0] == 0x01 && data[1] == 0x00:
		return append([]byte{0xD5, 0x4B}, b.list()...)
	case command == 0x00 && len(data) == 1 && data[0] == 0x06:
		if b.card == nil || !b.active || b.card.SAK&0x20 == 0 {
			return []byte{0xD5, 0x01, torn}
		}
		return []byte{0xD5, 0x01, 0x00}
	case command == 0x40 && len(data) > 1 && data[0] == 0x01, command == 0x42 && len(data) > 0:
		if command == 0x40 {
			data = data[1:]
		}
		answer, there := b.transmit(data)
		switch fourBits := there && len(answer) == 1 && b.card.SAK&0x20 == 0; {
		case !there:
			return []byte{0xD5, command + 1, torn}
		case command == 0x40 && fourBits && answer[0] == 0x0A: // the chip has understood it
			answer = nil
		case command == 0x40 && fourBits:
			return []byte{0xD5, command + 1, negative}
		}
		return append([]byte{0xD5, command + 1, 0x00}, answer...)
	}
	return nil
}

// list finds the card. A card of ISO/IEC 14443-4 says what it can (an NTAG 424 DNA here).
func (b *Board) list() []byte {
	if b.card == nil || !b.field {
		return []byte{0}
	}
	b.reset() // it is asked anew
	b.active = true
	found := append([]byte{1, 1, 0x03, 0x44, b.card.SAK, byte(len(b.card.UID))}, b.card.UID...)
	if b.card.SAK&0x20 != 0 {
		found = append(found, 0x06, 0x77, 0x77, 0x71, 0x02, 0x80)
	}
	return found
}

func framed(content []byte) []byte {
	if content == nil {
		return []byte{0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00}
	}
	n := len(content)
	frame := []byte{0x00, 0x00, 0xFF, byte(n), -byte(n)}
	if n > 254 {
		frame = []byte{0x00, 0x00, 0xFF, 0xFF, 0xFF, byte(n >> 8), byte(n), -(byte(n>>8) + byte(n))}
	}
	frame = append(frame, content...)
	return append(frame, -added(content), 0x00)
}

func added(content []byte) (sum byte) {
	for _, b := range content {
		sum += b
	}
	return sum
}
