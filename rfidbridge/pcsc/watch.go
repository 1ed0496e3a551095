package pcsc

import (
	"context"
	"fmt"
	"time"
)

// Watch calls changed with the readers there are, and again after each change: a card that
// comes or goes, a reader that is plugged in or out. Changes that follow each other quickly
// may come as one; the last always comes. It returns when ctx ends, with its error, or when
// the daemon is gone. It has a connection of its own, so that a card which takes its time
// holds up no event.
func (c *Client) Watch(ctx context.Context, changed func([]Reader)) error {
	waiting, _, err := dial(ctx, c.options.Socket, c.options.Timeout, c.minor)
	if err != nil {
		return err
	}
	defer waiting.close()
	defer context.AfterFunc(ctx, waiting.close)()
	for {
		err := c.next(waiting, changed)
		if ctx.Err() != nil {
			return ctx.Err() //nolint:wrapcheck // the caller's own
		}
		if err != nil {
			return err
		}
	}
}

// next registers for the next change, tells of the readers as they are now, and waits for
// the change. What changes between two rounds is in the table that follows.
func (c *Client) next(waiting *conn, changed func([]Reader)) error {
	readers, signalled, err := c.register(waiting)
	if err != nil {
		return err
	}
	changed(readers)
	if signalled {
		return nil
	}
	return waiting.signal()
}

// register asks for a signal, and returns the readers as they were after that was heard. A
// daemon of 4:6 says nothing when it has heard, so that it is asked for something else
// behind: when that is answered, the signal may have come before it.
func (c *Client) register(waiting *conn) (readers []Reader, signalled bool, err error) {
	if err := waiting.send(waitStateChange, nil); err != nil {
		return nil, false, err
	}
	if c.minor < 6 {
		table, err := waiting.receive(readersBefore * readerSize)
		if err != nil {
			return nil, false, err
		}
		readers, err = decodeReaders(table)
		return readers, false, err
	}
	if err := waiting.send(version, words(major, c.minor, 0)); err != nil {
		return nil, false, err
	}
	first, err := waiting.receive(4)
	if err != nil {
		return nil, false, err
	}
	if word(first, 0) != major { // the signal's first field, which is zero
		signalled = true
		if _, err := waiting.receive(signalSize); err != nil { // its rest, and the answer's first field
			return nil, false, err
		}
	}
	if _, err := waiting.receive(versionSize - 4); err != nil {
		return nil, false, err
	}
	readers, err = c.Readers()
	return readers, signalled, err
}

const (
	signalSize  = 8  // a timeout and a status
	versionSize = 12 // major, minor, status
)

// signal waits for a change, however long it takes.
func (c *conn) signal() error {
	if err := c.socket.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("%w: %w", ErrDaemon, err)
	}
	b, err := c.receive(signalSize)
	if err != nil {
		return err
	}
	return statusOf(word(b, 1))
}
