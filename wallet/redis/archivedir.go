package redis

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
)

// directory is the archive of files: a folder for each shard with the segments, and a
// file that says whose they are.
type directory struct {
	path string
	lock *flock.Flock
	size int64 // after which a segment takes no more entries

	mu     sync.Mutex
	closed bool
	name   string // of the archive, random
	ledger string // whose it is; empty: nobody's yet
	shards map[int]*archivedShard
}

const (
	segmentSize = 64 << 20

	archiveLock     = "lock"
	archiveIdentity = "archive"
	shardFolder     = "shard-%04d"
)

// OpenDirectory opens the archive in a directory, or makes one there. It belongs to the
// first ledger that it is given to. No other process may have it open: that is
// wallet.ErrInUse. The oldest segments of a shard may be moved away; what needs them
// then says which. Nobody but the owner can read the files, because they say who read
// what.
func OpenDirectory(path string) (Archive, error) {
	d, err := openDirectory(path)
	if err != nil {
		return nil, fmt.Errorf("archive %s: %w", path, err)
	}
	return d, nil
}

func openDirectory(path string) (*directory, error) {
	if err := durable.MakeDirectory(path); err != nil {
		return nil, err
	}
	d := &directory{path: path, size: segmentSize, shards: make(map[int]*archivedShard)}
	d.lock = flock.New(filepath.Join(path, archiveLock), flock.SetPermissions(durable.FileMode))
	switch locked, err := d.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock: %w", err)
	case !locked:
		return nil, fmt.Errorf("%w: only one archives a ledger; leave the archive out of the others, or stop the other process", wallet.ErrInUse)
	}
	if err := d.identify(); err != nil {
		return nil, errors.Join(err, d.lock.Unlock())
	}
	return d, nil
}

const identityForm = "caddy-paywall archive 1: %s of the ledger %s\n"

// identify reads whose archive it is. Without the file that says so it is nobody's, but
// then it must be empty.
func (d *directory) identify() error {
	text, err := os.ReadFile(filepath.Join(d.path, archiveIdentity))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		shards, err := filepath.Glob(filepath.Join(d.path, strings.ReplaceAll(shardFolder, "%04d", "*")))
		if err == nil && len(shards) > 0 {
			err = fmt.Errorf("%w: the file %s is missing, so nobody can tell whose archive this is: restore it", wallet.ErrCorrupt, archiveIdentity)
		}
		var name [16]byte
		_, _ = rand.Read(name[:]) // it never fails
		d.name = hex.EncodeToString(name[:])
		return err
	case err != nil:
		return err
	}
	_, err = fmt.Fscanf(bytes.NewReader(text), identityForm, &d.name, &d.ledger)
	if err != nil || string(text) != fmt.Sprintf(identityForm, d.name, d.ledger) || !isArchiveName(d.name) || !isArchiveName(d.ledger) {
		return fmt.Errorf("%w: the file %s does not read, or is of a later format: restore it", wallet.ErrCorrupt, archiveIdentity)
	}
	return nil
}

func isArchiveName(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 16
}

var errArchiveClosed = errors.New("the archive is closed")

// Attach implements [Archive].
func (d *directory) Attach(_ context.Context, ledger string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return "", errArchiveClosed
	case d.ledger == ledger:
		return d.name, nil
	case d.ledger != "":
		return "", fmt.Errorf("the directory %s has %w: give each ledger a directory of its own", d.path, ErrOtherLedger)
	case !isArchiveName(ledger):
		return "", fmt.Errorf("%w: a ledger is 32 hexadecimal digits", wallet.ErrInvalid)
	}
	text := fmt.Sprintf(identityForm, d.name, ledger)
	if err := writeDurably(d.path, archiveIdentity+".new", archiveIdentity, []byte(text)); err != nil {
		return "", err
	}
	d.ledger = ledger
	return d.name, nil
}

// shard is what the archive has of a shard.
func (d *directory) shard(ctx context.Context, n int) (*archivedShard, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, errArchiveClosed
	case d.ledger == "":
		return nil, errors.New("the archive has not been attached to a ledger")
	case n < 0 || n >= MaxShards:
		return nil, fmt.Errorf("%w: there is no shard %d", wallet.ErrInvalid, n)
	}
	s := d.shards[n]
	if s == nil {
		s = &archivedShard{
			path: filepath.Join(d.path, fmt.Sprintf(shardFolder, n)), ledger: d.ledger, shard: n, limit: d.size,
		}
		d.shards[n] = s
	}
	return s, nil
}

// Last implements [Archive].
func (d *directory) Last(ctx context.Context, shard int) (Place, error) {
	s, err := d.shard(ctx, shard)
	if err != nil {
		return Place{}, err
	}
	return s.newest()
}

// Append implements [Archive].
func (d *directory) Append(ctx context.Context, shard int, entries []Entry) error {
	s, err := d.shard(ctx, shard)
	if err != nil || len(entries) == 0 {
		return err
	}
	return s.append(entries)
}

// Rewind implements [Archive].
func (d *directory) Rewind(ctx context.Context, shard int, to Place) error {
	s, err := d.shard(ctx, shard)
	if err != nil {
		return err
	}
	return s.rewind(to)
}

// Read implements [Archive].
func (d *directory) Read(ctx context.Context, shard int, from, to uint64, do func(Entry) error) error {
	s, err := d.shard(ctx, shard)
	if err != nil {
		return err
	}
	return s.read(ctx, from, to, do)
}

// Close implements [Archive].
func (d *directory) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var err error
	for _, s := range d.shards {
		err = errors.Join(err, s.close())
	}
	return errors.Join(err, d.lock.Unlock())
}

var _ Archive = (*directory)(nil)
