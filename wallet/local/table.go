package local

import "math/bits"

// table finds items by a hash of what they hold. Unlike a map it needs no key
// beside the item, gives memory back when items are dropped, and never moves more
// than one of its shards at once, so that no charge waits while millions of items
// move. A byte of each item's hash lies apart from the items: whether something is
// there, which it mostly is not, is seen there alone, and those bytes are in the
// processor's cache where the items are not. With a T free of pointers the garbage
// collector has nothing to look at in it.
type table[T any] struct {
	hash   func(*T) uint64
	shards []tableShard[T]
	length int
}

type tableShard[T any] struct {
	tags  []uint8 // zero: the place is empty
	items []T
	used  int
}

// tableShards is how many parts a table lies in.
const tableShards = 1 << tableShardBits

const tableShardBits = 8

func newTable[T any](hash func(*T) uint64) table[T] {
	return table[T]{hash: hash, shards: make([]tableShard[T], tableShards)}
}

// shard returns the part in which a hash belongs.
func (t *table[T]) shard(hash uint64) *tableShard[T] { return &t.shards[hash>>(64-tableShardBits)] }

// tagOf is the byte of a hash that stands for its item.
func tagOf(hash uint64) uint8 { return max(1, uint8(hash)) }

// home is the place in a shard where the search for a hash begins.
func (s *tableShard[T]) home(hash uint64) int {
	high, _ := bits.Mul64(hash<<tableShardBits, uint64(len(s.tags)))
	return int(high)
}

// find returns the item of a hash that is the same as the one sought, or nil.
// The pointer is good until the next change.
func (t *table[T]) find(hash uint64, same func(*T) bool) *T {
	s := t.shard(hash)
	if i := s.search(hash, same); i >= 0 {
		return &s.items[i]
	}
	return nil
}

func (s *tableShard[T]) search(hash uint64, same func(*T) bool) int {
	if s.used == 0 {
		return -1
	}
	tag := tagOf(hash)
	for i := s.home(hash); ; i++ {
		if i == len(s.tags) {
			i = 0
		}
		switch there := s.tags[i]; {
		case there == 0:
			return -1
		case there == tag && same(&s.items[i]):
			return i
		}
	}
}

// add puts an item in that is not there.
func (t *table[T]) add(hash uint64, item T) {
	s := t.shard(hash)
	if s.used >= roomFor(len(s.tags)) {
		s.rebuild(2*len(s.tags)+8, t.hash, nil)
	}
	s.put(hash, item)
	t.length++
}

// roomFor is how many items lie in so many places: at more than four fifths the
// searches become long.
func roomFor(places int) int { return places / 5 * 4 }

// put is add where there is room.
func (s *tableShard[T]) put(hash uint64, item T) {
	i := s.home(hash)
	for s.tags[i] != 0 {
		if i++; i == len(s.tags) {
			i = 0
		}
	}
	s.tags[i], s.items[i] = tagOf(hash), item
	s.used++
}

// rebuild gives a shard so many places and keeps the items that keep wants; nil
// wants all.
func (s *tableShard[T]) rebuild(places int, hash func(*T) uint64, keep func(*T) bool) {
	from := *s
	*s = tableShard[T]{tags: make([]uint8, places), items: make([]T, places)}
	for i, tag := range from.tags {
		if tag != 0 && (keep == nil || keep(&from.items[i])) {
			s.put(hash(&from.items[i]), from.items[i])
		}
	}
}

// remove takes out the item of a hash that is the same as the one sought. Items
// behind it move up to where a search for them comes by.
func (t *table[T]) remove(hash uint64, same func(*T) bool) {
	s := t.shard(hash)
	hole := s.search(hash, same)
	if hole < 0 {
		return
	}
	places := len(s.tags)
	for i := (hole + 1) % places; s.tags[i] != 0; i = (i + 1) % places {
		home := s.home(t.hash(&s.items[i]))
		if (i-home+places)%places >= (i-hole+places)%places {
			s.tags[hole], s.items[hole] = s.tags[i], s.items[i]
			hole = i
		}
	}
	s.tags[hole] = 0
	s.used--
	t.length--
}

// reserve makes room for n more items at once, as far as they spread evenly.
func (t *table[T]) reserve(n int) {
	for i := range t.shards {
		s := &t.shards[i]
		each := s.used + n/tableShards
		if places := each + each/3 + 8; n >= tableShards && places > len(s.tags) {
			s.rebuild(places, t.hash, nil)
		}
	}
}

// drop forgets the items of one shard that are over, once they are worth it:
// an eighth of it.
func (t *table[T]) drop(shard int, over func(*T) bool) {
	s := &t.shards[shard]
	gone := 0
	for i, tag := range s.tags {
		if tag != 0 && over(&s.items[i]) {
			gone++
		}
	}
	t.length -= gone
	switch live := s.used - gone; {
	case live == 0:
		*s = tableShard[T]{}
	case gone*8 > s.used:
		s.rebuild(live+live/3+8, t.hash, func(item *T) bool { return !over(item) })
	default:
		t.length += gone
	}
}

// each calls do for every item, in no order.
func (t *table[T]) each(do func(*T)) {
	for i := range t.shards {
		s := &t.shards[i]
		for j, tag := range s.tags {
			if tag != 0 {
				do(&s.items[j])
			}
		}
	}
}
