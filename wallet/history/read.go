package history

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// ErrFile says that a file is not one that Write has written, whole and unchanged.
var ErrFile = errors.New("not a whole history")

// Check reads a file to its end and finds out whether it is whole and unchanged.
func Check(file io.Reader) (Summary, error) {
	return read(file, func(int, Deed) error { return nil })
}

// read calls yield with each deed of a file and the number of its line. Only
// after the last it is known whether the file is whole.
func read(file io.Reader, yield func(number int, d Deed) error) (Summary, error) {
	r := &reader{lines: bufio.NewReaderSize(file, maxLine), hash: sha256.New()}
	s, err := r.header()
	if err != nil {
		return s, err
	}
	for {
		form, err := r.next()
		if err != nil {
			return s, err
		}
		var l line
		if err := strict(form, &l); err != nil {
			return s, r.wrong("%w", err)
		}
		if l.End != nil {
			return s, r.end(form, l.End.Deeds, s)
		}
		r.hash.Write(form)
		d, err := l.deed()
		if err != nil {
			return s, r.wrong("%w", err)
		}
		s.Deeds++
		s.add(d)
		if err := yield(r.number, d); err != nil {
			return s, err
		}
	}
}

// reader reads lines and hashes them.
type reader struct {
	lines  *bufio.Reader
	hash   hash.Hash
	number int // of the line
}

// wrong is an error that names the line.
func (r *reader) wrong(format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %w", ErrFile, r.number, fmt.Errorf(format, args...))
}

// next returns the next line, which is good until the one after it.
func (r *reader) next() ([]byte, error) {
	r.number++
	form, err := r.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF):
		return nil, r.wrong("the file ends before its last line: it was cut, or its export has failed")
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, r.wrong("longer than %d bytes", maxLine)
	case err != nil:
		return nil, fmt.Errorf("line %d: %w", r.number, err)
	}
	return form, nil
}

func (r *reader) header() (Summary, error) {
	form, err := r.next()
	if err != nil {
		return Summary{}, err
	}
	var h header
	switch err := strict(form, &h); {
	case err != nil || h.Format != formatName:
		return Summary{}, r.wrong("no header of a paywall's history")
	case h.Version != formatVersion:
		return Summary{}, r.wrong("version %d, and this program reads version %d", h.Version, formatVersion)
	}
	r.hash.Write(form)
	return Summary{Currency: h.Currency}, nil
}

// end compares the last line with what was read before it.
func (r *reader) end(form []byte, deeds uint64, s Summary) error {
	want, err := formOfLine(line{End: s.trailer(r.hash.Sum(nil))})
	switch {
	case err != nil:
		return err
	case bytes.Equal(form, want):
	case deeds == s.Deeds:
		return r.wrong("the lines before it are not those that were written: the file was altered")
	default:
		return r.wrong("it tells of %d deeds, and there are %d: lines are missing or too many", deeds, s.Deeds)
	}
	if _, err := r.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return r.wrong("there is something behind it")
	}
	return nil
}
