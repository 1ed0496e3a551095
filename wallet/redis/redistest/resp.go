package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// readValue reads one whole value of Redis' protocol, a request or an answer, as
// it is on the wire. It knows where values end, and not what they mean.
func readValue(r *bufio.Reader) ([]byte, error) { return appendValue(nil, r) }

func appendValue(raw []byte, r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	raw = append(raw, line...)
	if err != nil {
		return raw, err
	}
	switch line[0] {
	case '$', '=', '!': // text, with its length
		n, err := lengthOf(line)
		if err != nil || n < 0 { // a text that is not there
			return raw, err
		}
		text := make([]byte, n+len("\r\n"))
		_, err = io.ReadFull(r, text)
		return append(raw, text...), err
	case '*', '~', '>': // several values
		return appendValues(raw, r, line, 1, 0)
	case '%': // pairs of values
		return appendValues(raw, r, line, 2, 0)
	case '|': // pairs that say something of the value behind them
		return appendValues(raw, r, line, 2, 1)
	default: // the line is the value
		return raw, nil
	}
}

func appendValues(raw []byte, r *bufio.Reader, line []byte, each, more int) ([]byte, error) {
	n, err := lengthOf(line)
	for range n*each + more {
		if err != nil {
			return raw, err
		}
		raw, err = appendValue(raw, r)
	}
	return raw, err
}

// maxLength is more than Redis takes or gives.
const maxLength = 1 << 30

func lengthOf(line []byte) (int, error) {
	n, err := strconv.Atoi(string(bytes.TrimSpace(line[1:])))
	if err != nil || n > maxLength {
		return 0, fmt.Errorf("%q has no length", line)
	}
	return n, nil
}

// commandOf is the name of the command that a request is for, in capitals.
func commandOf(request []byte) string {
	parts := bytes.SplitN(request, []byte("\r\n"), 4) // *<n>, $<length>, name, the rest
	if len(parts) < 3 {
		return ""
	}
	return string(bytes.ToUpper(parts[2]))
}
