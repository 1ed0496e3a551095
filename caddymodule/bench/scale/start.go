package scale

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/local"
)

// The names that package local gives its files.
const (
	snapshotFile  = "snapshot"
	journalPrefix = "journal-"
)

// restart measures a start on what a kill would leave, and one after Close.
func (s *site) restart(ctx context.Context, r *Result) error {
	killed, err := s.asKilled()
	if err != nil {
		return err
	}
	defer os.RemoveAll(killed)
	if err := s.close(); err != nil {
		return err
	}
	if r.StartUnclean, err = s.start(killed); err != nil {
		return err
	}
	if err := s.close(); err != nil {
		return err
	}
	if r.StartClean, err = s.start(s.dir); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(s.dir, snapshotFile))
	if err != nil {
		return err
	}
	r.SnapshotBytes = int(info.Size())
	return nil
}

// startFromJournal measures a start without a snapshot.
func (s *site) startFromJournal(ctx context.Context, r *Result) error {
	if err := s.close(); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(s.dir, snapshotFile))
	if err == nil {
		r.StartJournal, err = s.start(s.dir)
	}
	return err
}

func (s *site) start(dir string) (time.Duration, error) {
	heap() // what the last ledger left is not this one's to collect
	from := time.Now()
	ledger, err := local.Open(local.Options{Dir: dir, Clock: s.now.Now})
	took := time.Since(from)
	s.ledger = ledger
	return took, err
}

// asKilled makes a directory with what a kill at this moment would leave. All
// files but the newest segment never change again, so links to them will do.
func (s *site) asKilled() (string, error) {
	to, err := os.MkdirTemp(filepath.Dir(s.dir), "ledger-killed-")
	if err != nil {
		return "", err
	}
	names, err := s.names()
	if err != nil {
		return to, err
	}
	for i, name := range names {
		from, link := filepath.Join(s.dir, name), filepath.Join(to, name)
		newest := strings.HasPrefix(name, journalPrefix) && (i+1 == len(names) || !strings.HasPrefix(names[i+1], journalPrefix))
		switch {
		case newest:
			err = copyFile(from, link)
		case name == snapshotFile || strings.HasPrefix(name, journalPrefix):
			err = os.Link(from, link)
		}
		if err != nil {
			return to, err
		}
	}
	return to, nil
}

// names are the names of the ledger's files, in order.
func (s *site) names() ([]string, error) {
	files, err := os.ReadDir(s.dir)
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name()
	}
	slices.Sort(names)
	return names, err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
