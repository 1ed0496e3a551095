package local

import "testing"

func TestAFrameIsTakenOnlyWhereItBelongs(t *testing.T) {
	frame := sealFrame(append(make([]byte, frameHeader), "records"...), 7, 42)
	if len(frame)%frameAlign != 0 {
		t.Errorf("a frame of %d bytes", len(frame))
	}
	if records, whole := openFrame(frame, 7, 42); !whole || string(records) != "records" {
		t.Fatalf("%q, %v", records, whole)
	}
	for name, whole := range map[string]func() bool{
		"after another frame": func() bool { _, whole := openFrame(frame, 8, 42); return whole },
		"in another segment":  func() bool { _, whole := openFrame(frame, 7, 43); return whole },
		"cut short":           func() bool { _, whole := openFrame(frame[:frameHeader+6], 7, 42); return whole },
		"without a header":    func() bool { _, whole := openFrame(frame[:10], 7, 42); return whole },
	} {
		if whole() {
			t.Errorf("a frame %s was taken", name)
		}
	}
	for bit := range len(frame) * 8 {
		if bit/8 >= frameHeader+len("records") {
			break // the padding says nothing
		}
		frame[bit/8] ^= 1 << (bit % 8)
		if _, whole := openFrame(frame, 7, 42); whole {
			t.Errorf("a frame with bit %d flipped was taken", bit)
		}
		frame[bit/8] ^= 1 << (bit % 8)
	}
}
