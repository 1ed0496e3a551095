package local

import (
	"encoding/binary"
	"iter"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// decoder reads what the disk gave back, which may be anything. After the first
// thing that cannot be, failed is set and every further read gives zero.
type decoder struct {
	rest    []byte
	failed  bool
	yielder *yielder
}

// take returns the next n bytes, or nil where there are fewer.
func (d *decoder) take(n int) []byte {
	if d.failed || n < 0 || n > len(d.rest) {
		d.failed = true
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) copy(to []byte) { copy(to, d.take(len(to))) }

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.take(n)
	return v
}

// varint reads a number that may be negative.
func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.take(n)
	return v
}

// upTo reads a number that is at most most.
func (d *decoder) upTo(most uint64) uint64 {
	v := d.uvarint()
	if v > most {
		d.failed = true
		return 0
	}
	return v
}

func (d *decoder) amount() wallet.Amount { return wallet.Amount(d.upTo(uint64(wallet.MaxAmount))) }

// count reads how many items of at least size bytes follow, at most most. What
// is left must be able to hold them, so that a wrong count allocates nothing.
func (d *decoder) count(most uint64, size int) int {
	n := d.upTo(min(most, uint64(len(d.rest)/size)))
	return int(n)
}

// items counts through a list of at most most items of at least size bytes each,
// until something cannot be. room, if not nil, is called with their number first.
func (d *decoder) items(most uint64, size int, room func(n int)) iter.Seq[int] {
	n := d.count(most, size)
	if room != nil {
		room(n)
	}
	return func(yield func(int) bool) {
		for i := 0; i < n && !d.failed && yield(i); i++ {
			if i%politeItems == 0 {
				d.yielder.yield()
			}
		}
	}
}

// politeItems is how many items of a snapshot are read before others may have the
// processor: some hundred microseconds' worth.
const politeItems = 1 << 10

// text reads a text of at most most bytes.
func (d *decoder) text(most int) string {
	return string(d.take(int(d.upTo(uint64(most)))))
}

// index reads a number below length.
func (d *decoder) index(length int) uint32 {
	if length == 0 {
		d.failed = true
		return 0
	}
	return uint32(d.upTo(uint64(length - 1)))
}
