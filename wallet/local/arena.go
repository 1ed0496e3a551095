package local

// arena is a list that grows without ever copying what it holds, so that no
// charge waits while a million wallets move. With a T free of pointers the
// garbage collector has nothing to look at in it.
type arena[T any] struct {
	chunks []*[arenaChunk]T
	length uint32
}

const arenaChunk = 1 << 10 // items

// at returns the item i, which must be below length.
func (a *arena[T]) at(i uint32) *T { return &a.chunks[i/arenaChunk][i%arenaChunk] }

// add appends an item and returns its index.
func (a *arena[T]) add(item T) uint32 {
	i := a.length
	if int(i/arenaChunk) == len(a.chunks) {
		a.chunks = append(a.chunks, new([arenaChunk]T))
	}
	a.length++
	*a.at(i) = item
	return i
}
