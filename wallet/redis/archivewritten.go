package redis

import (
	"bufio"
	"fmt"
	"io"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ReadWritten reads what an archive of [NewWriter] has written, or one segment of
// [OpenDirectory], and calls do for each entry as it comes. Where a shard's entry has the
// number of an earlier one, that one and those behind it are void: the writing was tried
// again, or the journal rewound. What is half written at the end, or before such a
// repetition, is passed over; a gap is a wallet.ErrCorrupt.
func ReadWritten(r io.Reader, do func(shard int, e Entry) error) error {
	w := written{
		reader: bufio.NewReaderSize(r, frameHeader+maxFrameText), next: make(map[int]uint64), links: make(map[int]link),
	}
	for {
		e, ok, err := w.entry()
		if err == nil && ok {
			err = do(w.segment.shard, e)
		}
		if err != nil || !ok {
			return err
		}
	}
}

// written is what a writer has written, up to somewhere.
type written struct {
	reader  *bufio.Reader
	ledger  string
	segment segment
	next    map[int]uint64 // number of each shard's next entry
	links   map[int]link
	skipped bool // something that does not read, in this segment
}

// entry returns the next entry; not ok: there is none.
func (w *written) entry() (e Entry, ok bool, err error) {
	for {
		head, err := w.reader.Peek(segmentHeader)
		if err != nil && !isEnd(err) {
			return e, false, err
		}
		if len(head) < frameHeader {
			return e, false, nil
		}
		if n, err := decodeSegment(head); err == nil && (w.ledger == "" || w.ledger == n.ledger) {
			if err := w.begin(n); err != nil {
				return e, false, err
			}
			continue
		}
		if size := frameSize(head, w.segment.mark); size > 0 && !w.skipped && w.segment.mark != 0 {
			b, err := w.reader.Peek(int(size))
			if err != nil && !isEnd(err) {
				return e, false, err
			}
			if f, ok := decodeFrame(b, w.segment.mark); ok {
				return w.follow(&f, b)
			}
		}
		w.skipped = true
		if _, err := w.reader.Discard(1); err != nil {
			return e, false, err
		}
	}
}

// begin goes on with a segment.
func (w *written) begin(n segment) error {
	next, known := w.next[n.shard]
	if known && n.first > next {
		return fmt.Errorf("%w: archive: shard %d: entries %d to %d are missing", wallet.ErrCorrupt, n.shard, next, n.first-1)
	}
	w.ledger, w.segment, w.skipped = n.ledger, n, false
	w.next[n.shard], w.links[n.shard] = n.first, n.link
	_, err := w.reader.Discard(segmentHeader)
	return err
}

// follow takes the frame b.
func (w *written) follow(f *frame, b []byte) (Entry, bool, error) {
	shard := w.segment.shard
	if f.Sequence != w.next[shard] || !f.follows(w.links[shard], b) {
		return Entry{}, false, fmt.Errorf("%w: archive: shard %d: entry %d does not follow from those before it", wallet.ErrCorrupt, shard, f.Sequence)
	}
	w.next[shard], w.links[shard] = f.Sequence+1, f.link
	_, err := w.reader.Discard(int(f.size))
	return f.Entry, true, err
}
