package reader

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// evGrab makes an input device the caller's alone (linux/input.h: EVIOCGRAB).
const evGrab = 0x40044590

// OpenKeyboard opens a reader that plays a keyboard, by its event device, and takes it for
// this program alone: nobody else hears what it types.
func OpenKeyboard(path string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		if err := onFile(f, func(fd int) error { return unix.IoctlSetInt(fd, evGrab, 1) }); err != nil {
			return nil, fmt.Errorf("%s is no keyboard that can be had alone: %w", path, closing(f, err))
		}
		return f, nil
	}
}

// onFile does something with a file's descriptor, which stays the runtime's own: Close
// ends a read that is under way.
func onFile(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	if err := raw.Control(func(fd uintptr) { done = do(int(fd)) }); err != nil {
		return err
	}
	return done
}

func closing(f *os.File, err error) error {
	_ = f.Close() // nothing was written
	return err
}
