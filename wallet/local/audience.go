package local

import "context"

// audience waits until everything so far is durable and returns a reader of it
// and the position up to which it reaches. see, if not nil, is called at that
// very position, under l.mu. done must be called when the reader is done with.
func (l *Ledger) audience(ctx context.Context, see func()) (r *reader, to uint64, done func(), err error) {
	if _, err := l.begin(ctx); err != nil {
		return nil, 0, nil, err
	}
	f, to := l.settled(everything), l.position()
	if see != nil {
		see()
	}
	l.readers.Add(1)
	l.mu.Unlock()
	if err := f.wait(ctx); err != nil {
		l.readers.Done()
		return nil, 0, nil, err
	}
	r = l.journal.reader()
	r.yielder = new(yielder)
	return r, to, func() { r.close(); l.readers.Done() }, nil
}

// position is the one behind everything that was applied so far, with l.mu held.
func (l *Ledger) position() uint64 {
	switch {
	case l.boarding.records > 0:
		return l.boarding.end()
	case l.flying != nil:
		return l.flying.after()
	}
	return l.durable
}
