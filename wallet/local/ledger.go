package local

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/pacing"
)

// Options say where a ledger lies and what it is given from outside. Only Dir is
// required.
type Options struct {
	// Dir is the ledger's directory. It is made where it is missing, and must
	// be on a local disk.
	Dir string

	// Clock tells the time. Default: time.Now.
	Clock func() time.Time

	// Random gives the bytes that tell this ledger's files from others'.
	// Default: crypto/rand.
	Random io.Reader

	// Log hears of what an operator should know: a stop, a snapshot set
	// aside. It never hears of wallets or resources. Default: silence.
	Log *slog.Logger

	// SegmentSize is the bytes after which the journal goes on in a new file,
	// and a snapshot is made. Default: 64 MiB.
	SegmentSize int64

	// SyncAtClose makes the last segment durable no sooner than Close does: until
	// then an acknowledgement promises nothing. It is for an import, which begins
	// anew where it has not come to its end. Default: false.
	SyncAtClose bool
}

const defaultSegmentSize = 64 << 20

const (
	gatherFor  = 2 * time.Millisecond // how long flights gather
	fullFlight = 64                   // records that are always enough for a sync
)

// Ledger is the embedded ledger: it implements [wallet.Ledger] and is safe for
// concurrent use. Make one with [Open].
type Ledger struct {
	fs          fileSystem
	dir         string // for people to read
	clock       func() time.Time
	log         *slog.Logger
	segmentSize uint64
	unlock      func() error
	lock        *flock.Flock // nil on a file system of a test's
	journal     *journal

	mu       sync.Mutex
	room     sync.Cond // signalled when a flight leaves
	state    *state
	decision decision
	failure  error // why the ledger has stopped
	closing  bool

	boarding        *flight // takes records
	flying          *flight // on its way to the disk, or nil
	spare           []byte  // buffer of a flight that has landed
	durable         uint64  // position behind what is durable
	durableSequence uint64  // of the frame that will stand there
	pacing          pacing.Pacing
	sealedTo        uint64 // base of the segment that the last flight landed in

	snapshotAt   uint64 // position of the newest snapshot; the snapshot keeper's
	snapshotSize uint64 // bytes of it; the snapshot keeper's

	wake       chan struct{} // for the writer
	snap       chan struct{} // for the snapshot keeper
	written    chan struct{} // closed when the writer has ended
	stopped    chan struct{} // closed when the background is to end
	background sync.WaitGroup
	readers    sync.WaitGroup // methods that read the journal
	closed     sync.Once
}

var errClosed = fmt.Errorf("%w: closed", wallet.ErrUnavailable)

// Open opens the ledger in a directory and makes one where there is none. It
// returns when the books are as they were and the journal has been written to.
// ErrInUse: another process has it. ErrCorrupt: what is there is not what was
// written. Any other error is the system's, such as a full disk or one that is
// read-only. The text of each says what to do.
func Open(o Options) (*Ledger, error) {
	if o.Dir == "" {
		return nil, errors.New("ledger: no directory")
	}
	l, err := open(o)
	if err != nil {
		return nil, cured(fmt.Errorf("ledger %s: %w", o.Dir, err), o.Dir)
	}
	return l, nil
}

func open(o Options) (*Ledger, error) {
	if err := durable.MakeDirectory(o.Dir); err != nil {
		return nil, err
	}
	lock, err := lockDirectory(o.Dir)
	if err != nil {
		return nil, err
	}
	l, err := openOn(directory(o.Dir), o)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	l.lock, l.unlock = lock, lock.Unlock
	return l, nil
}

// lockName is the file whose lock says that a process has the ledger. The
// system takes the lock back when the process ends, however it ends.
const lockName = "lock"

func lockDirectory(dir string) (*flock.Flock, error) {
	lock := flock.New(directory(dir).path(lockName), flock.SetPermissions(durable.FileMode))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("%w; stop the other process, or give each one a directory of its own", wallet.ErrInUse)
	}
	return lock, nil
}

// openOn opens a ledger on a file system that nobody else uses.
func openOn(fs fileSystem, o Options) (*Ledger, error) {
	l := &Ledger{
		fs: fs, dir: o.Dir, clock: o.Clock, log: o.Log, segmentSize: uint64(o.SegmentSize),
		pacing:  pacing.Pacing{Gather: gatherFor, Full: fullFlight},
		unlock:  func() error { return nil },
		wake:    make(chan struct{}, 1),
		snap:    make(chan struct{}, 1),
		written: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	l.room.L = &l.mu
	if l.clock == nil {
		l.clock = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if o.SegmentSize <= 0 {
		l.segmentSize = defaultSegmentSize
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if err := l.recover(o.Random); err != nil {
		return nil, err
	}
	l.journal.syncAtClose = o.SyncAtClose
	l.durableSequence = l.boarding.sequence
	l.sealedTo = l.journal.head.base
	if l.sealedTo > l.snapshotAt {
		l.wantSnapshot()
	}
	go l.write()
	l.background.Add(2)
	go l.sweep()
	go l.keepSnapshots()
	return l, nil
}

// Close implements [wallet.Ledger].
func (l *Ledger) Close() error {
	var err error
	l.closed.Do(func() { err = l.close() })
	return err
}

func (l *Ledger) close() error {
	l.mu.Lock()
	l.closing = true
	l.room.Broadcast()
	l.mu.Unlock()
	l.signal()
	<-l.written
	close(l.stopped)
	l.background.Wait()
	l.readers.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.journal.finish(); err != nil {
		l.stop(err)
	}
	l.lastSnapshot()
	return errors.Join(l.failure, l.journal.close(), l.unlock())
}

var _ wallet.Ledger = (*Ledger)(nil)
