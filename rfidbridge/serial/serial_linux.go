package serial

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

var speeds = map[int]uint32{9600: unix.B9600, 115200: unix.B115200}

// Open opens a line: raw, 8 bits, no parity, one stop bit, without flow control, at 9600 or
// 115200 baud. USB devices that only look like a line do not care. The file knows deadlines.
func Open(path string, baud int) (*os.File, error) {
	speed, known := speeds[baud]
	if !known {
		return nil, fmt.Errorf("%s: there is no speed of %d baud here", path, baud)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := makeRaw(fd, speed); err != nil {
		_ = unix.Close(fd) // nothing was written
		return nil, fmt.Errorf("%s is no serial line: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

func makeRaw(fd int, speed uint32) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | speed
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}
