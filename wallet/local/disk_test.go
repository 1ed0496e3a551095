package local

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// disk is a fileSystem in memory that loses power. It shows what was written, as
// a system does from its cache, and keeps apart what was made durable.
type disk struct {
	mu      sync.Mutex
	random  *rand.Rand
	shown   map[string]*node
	durable map[string]*node // names as of the last SyncDir
	changes []func(names map[string]*node)
	off     bool // the power is off: everything fails
	faults
	tried  int // Syncs so far
	opened int // files that are open
}

// faults count down, each with the calls it concerns, and strike at zero.
type faults struct {
	cutIn  int // any change: the power goes off, before it
	failIn int // Sync: it fails, and forgets what it should have written
	fullIn int // WriteAt: it writes a part and says that the disk is full
	readIn int // ReadAt: it fails
	nameIn int // SyncDir: it fails
}

// fail sets the faults that are to come.
func (d *disk) fail(in faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = in
}

// node is a file's content.
type node struct {
	shown   []byte
	durable []byte
	pending []write
}

// write is a change of a file that is not durable.
type write struct {
	at       int64
	data     []byte
	truncate bool // to at
}

var (
	errPower = errors.New("the power is off")
	errSync  = errors.New("input/output error")
	errFull  = errors.New("no space left on device")
)

// sector is what a disk writes whole or not at all.
const sector = 512

func newDisk(random *rand.Rand) *disk {
	return &disk{random: random, shown: make(map[string]*node), durable: make(map[string]*node)}
}

// strikes counts a fault down and reports whether it is its turn.
func strikes(in *int) bool {
	if *in == 0 {
		return false
	}
	*in--
	return *in == 0
}

// change guards everything that changes the disk; d.mu is held.
func (d *disk) change() error {
	if strikes(&d.cutIn) {
		d.off = true
	}
	if d.off {
		return errPower
	}
	return nil
}

// rename changes the directory now, and for good with the next SyncDir.
func (d *disk) rename(change func(names map[string]*node)) {
	change(d.shown)
	d.changes = append(d.changes, change)
}

func (d *disk) Create(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return nil, err
	}
	n := &node{}
	d.rename(func(names map[string]*node) { names[name] = n })
	d.opened++
	return &diskFile{d: d, n: n}, nil
}

func (d *disk) Open(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.shown[name]
	switch {
	case d.off:
		return nil, errPower
	case n == nil:
		return nil, fs.ErrNotExist
	}
	d.opened++
	return &diskFile{d: d, n: n}, nil
}

func (d *disk) Names() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.shown)), nil
}

func (d *disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	d.rename(func(names map[string]*node) {
		if n := names[from]; n != nil {
			names[to] = n
			delete(names, from)
		}
	})
	return nil
}

func (d *disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	d.rename(func(names map[string]*node) { delete(names, name) })
	return nil
}

func (d *disk) SyncDir() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	if strikes(&d.nameIn) {
		return errSync
	}
	d.durable, d.changes = maps.Clone(d.shown), nil
	return nil
}

func (d *disk) syncs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tried
}

// restart is the disk after a power cut: what was durable, and of the rest
// what the disk happened to have written, torn between sectors.
func (d *disk) restart() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := maps.Clone(d.durable)
	for _, change := range d.changes[:d.random.IntN(len(d.changes)+1)] {
		change(names)
	}
	after := newDisk(d.random)
	for name, n := range names {
		content := n.afterCut(d.random)
		after.shown[name] = &node{shown: content, durable: slices.Clone(content)}
	}
	after.durable = maps.Clone(after.shown)
	return after
}

func (n *node) afterCut(random *rand.Rand) []byte {
	content := slices.Clone(n.durable)
	for _, w := range n.pending {
		keep := random.IntN(4) // 0: nothing of it; 1: all; else some sectors
		switch {
		case keep == 0:
		case w.truncate:
			content = resized(content, w.at)
		default:
			for from := int64(0); from < int64(len(w.data)); {
				to := min(int64(len(w.data)), (w.at+from)/sector*sector+sector-w.at)
				if keep == 1 || random.IntN(2) == 0 {
					content = written(content, w.at+from, w.data[from:to])
				}
				from = to
			}
		}
	}
	return content
}

func resized(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

func written(b []byte, at int64, data []byte) []byte {
	if end := at + int64(len(data)); end > int64(len(b)) {
		b = resized(b, end)
	}
	copy(b[at:], data)
	return b
}
