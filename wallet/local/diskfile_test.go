package local

import (
	"io"
	"io/fs"
	"slices"
)

// diskFile is an open file of a disk.
type diskFile struct {
	d      *disk
	n      *node
	closed bool
}

func (f *diskFile) ReadAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.off {
		return 0, errPower
	}
	if strikes(&f.d.readIn) {
		return 0, errSync
	}
	if at >= int64(len(f.n.shown)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.shown[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *diskFile) WriteAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.change(); err != nil {
		return 0, err
	}
	if strikes(&f.d.fullIn) {
		f.write(b[:len(b)/2], at)
		return len(b) / 2, errFull
	}
	f.write(b, at)
	return len(b), nil
}

func (f *diskFile) write(b []byte, at int64) {
	f.n.shown = written(f.n.shown, at, b)
	f.n.pending = append(f.n.pending, write{at: at, data: slices.Clone(b)})
}

func (f *diskFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.change(); err != nil {
		return err
	}
	f.n.shown = resized(slices.Clone(f.n.shown), size)
	f.n.pending = append(f.n.pending, write{at: size, truncate: true})
	return nil
}

// Sync makes the file durable. Where it fails, the system shows what it has in
// memory and never tries to write it again.
func (f *diskFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.change(); err != nil {
		return err
	}
	f.d.tried++
	if strikes(&f.d.failIn) {
		f.n.durable = f.n.afterCut(f.d.random)
		f.n.pending = nil
		return errSync
	}
	for _, w := range f.n.pending {
		if w.truncate {
			f.n.durable = resized(f.n.durable, w.at)
		} else {
			f.n.durable = written(f.n.durable, w.at, w.data)
		}
	}
	f.n.pending = nil
	return nil
}

func (f *diskFile) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.n.shown)), nil
}

func (f *diskFile) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.d.opened--
	return nil
}
