package local

import "context"

// flight is the records that reach the disk with one write and one sync.
type flight struct {
	segment  uint64 // base of the segment it belongs to
	start    uint64 // position of its frame
	sequence uint64
	frame    []byte // room for the header, and the records so far
	records  int

	landed chan struct{} // closed when it is durable or never will be
	err    error         // why it never will be; read after landed
}

func newFlight(segment, start, sequence uint64, buffer []byte) *flight {
	var header [frameHeader]byte
	return &flight{
		segment: segment, start: start, sequence: sequence,
		frame: append(buffer[:0], header[:]...), landed: make(chan struct{}),
	}
}

// end is the position at which the next record of the flight begins.
func (f *flight) end() uint64 { return f.start + uint64(len(f.frame)) }

// after is the position behind the flight's frame.
func (f *flight) after() uint64 { return f.start + uint64(frameSize(len(f.frame)-frameHeader)) }

// full reports whether the flight takes nobody on board any more, so that no
// frame is longer than a start would read.
func (f *flight) full() bool { return len(f.frame) >= maxFlight }

// land tells everybody on board how it went.
func (f *flight) land(err error) {
	f.err = err
	close(f.landed)
}

// wait waits until the flight has landed; a nil flight has.
func (f *flight) wait(ctx context.Context) error {
	if f == nil {
		return nil
	}
	if ctx.Done() == nil {
		<-f.landed
		return f.err
	}
	select {
	case <-f.landed:
		return f.err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}
