package local

import (
	"context"
	"fmt"
)

// visit is called with each record and its position. The record is used again
// for the next one.
type visit func(r *record, at uint64) error

// eachRecord calls do for the records of a frame up to a position.
func eachRecord(records []byte, at, to uint64, r *record, do visit) error {
	for len(records) > 0 && at < to {
		body, rest, ok := cutRecord(records)
		if !ok || r.decode(body) != nil {
			return corrupt("the journal does not read at %d", at)
		}
		if err := do(r, at); err != nil {
			return err
		}
		at += uint64(len(records) - len(rest))
		records = rest
	}
	return nil
}

// walk calls do for the records from the frame at position from, which has a
// sequence number, up to position to. All of them must be there.
func (r *reader) walk(ctx context.Context, from, sequence, to uint64, do visit) error {
	for i, s := range r.segments {
		end := uint64(everything)
		if i+1 < len(r.segments) {
			end = r.segments[i+1].base
		}
		if end <= from || s.base >= to {
			continue
		}
		if err := r.open(s.base); err != nil {
			return err
		}
		offset, next := int64(segmentHeader), s.sequence
		if from > s.base {
			offset, next = int64(from-s.base), sequence
		}
		f, err := framesOf(r.file, s, offset, next)
		if err != nil {
			return unavailable(fmt.Errorf("journal: %w", err))
		}
		if err := f.walk(ctx, end, to, r.yielder, do); err != nil {
			return err
		}
	}
	return nil
}

// walk calls do for the records of a segment up to position to; the segment
// ends at end.
func (f *frames) walk(ctx context.Context, end, to uint64, y *yielder, do visit) error {
	var each record
	for f.position() < min(end, to) {
		if err := ctx.Err(); err != nil {
			return unavailable(err)
		}
		y.yield()
		records, at, ok, err := f.next()
		switch {
		case err != nil:
			return unavailable(fmt.Errorf("journal: %w", err))
		case !ok:
			return corrupt("segment %s is damaged at offset %d", segmentName(f.segment.base), f.offset)
		}
		if err := eachRecord(records, at, to, &each, do); err != nil {
			return err
		}
	}
	if f.position() > end {
		return corrupt("segment %s runs into the next one", segmentName(f.segment.base))
	}
	return nil
}

// fold is the visit that applies records to the state.
func (s *state) fold(r *record, at uint64) error {
	err := s.resolve(r)
	if err == nil {
		err = s.apply(r, at)
	}
	if err != nil {
		return corrupt("the %s record at %d does not follow from those before it: %v", r.kind, at, err)
	}
	if s.records%forgetIDsEvery == 0 {
		s.ids.forget(r.time)
	}
	if s.records%forgetEvery == 0 {
		s.forget(r.time, int(s.records/forgetEvery%tableShards))
	}
	return nil
}

// forgetEvery is how many records a fold applies between two sweeps, which keep
// it from remembering every grant and id there ever was. Where the records lie far
// apart, each has a bucket of ids to itself.
const (
	forgetEvery    = 1 << 12
	forgetIDsEvery = 1 << 8
)
