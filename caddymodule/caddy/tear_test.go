package main_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// A crash can leave the end of the journal torn: a write that had begun and
// that nobody was told about. Each tear does to the journal of a killed server
// what such a crash does, and touches nothing that was acknowledged.
var tears = []struct {
	name string
	tear func(*journal, *rand.Rand)
}{
	{"as the kill left it", func(*journal, *rand.Rand) {}},
	{"garbage after the end of the file", func(j *journal, random *rand.Rand) {
		j.write(j.size(), garbage(random, 1+random.IntN(5000)))
	}},
	{"garbage where the next frame would stand", func(j *journal, random *rand.Rand) {
		j.write(j.written()+int64(8*random.IntN(64)), garbage(random, 1+random.IntN(5000)))
	}},
	{"the room allocated for later frames is gone", func(j *journal, random *rand.Rand) {
		j.truncate(j.written() + int64(random.IntN(512)))
	}},
	{"the beginning of a frame, and no more of it", func(j *journal, random *rand.Rand) {
		frame := garbage(random, 24+random.IntN(200))
		binary.LittleEndian.PutUint32(frame, uint32(len(frame)+100)) // longer than what is there
		j.write(j.written(), frame)
	}},
}

func garbage(random *rand.Rand, length int) []byte {
	text := make([]byte, length)
	for i := range text {
		text[i] = byte(1 + random.IntN(255)) // no zeros: those were never written
	}
	return text
}

// journal is the last segment of a killed server's journal.
type journal struct {
	*server
	path string
}

func (s *server) journal() *journal {
	s.Helper()
	segments, err := filepath.Glob(filepath.Join(s.home, "data", "caddy", "paywall", "ledger", "journal-*"))
	if err != nil || len(segments) == 0 {
		s.Fatalf("the ledger has no journal: %v", err)
	}
	return &journal{s, segments[len(segments)-1]}
}

func (j *journal) size() int64 {
	j.Helper()
	stat, err := os.Stat(j.path)
	if err != nil {
		j.Fatal(err)
	}
	return stat.Size()
}

// written is where the next frame would stand: behind the segment's header and
// every frame that has a length (wallet/local/segment.go and frame.go).
func (j *journal) written() int64 {
	j.Helper()
	const segmentHeader, frameHeader = 64, 24
	text, err := os.ReadFile(j.path)
	if err != nil {
		j.Fatal(err)
	}
	at := segmentHeader
	for at+frameHeader <= len(text) {
		length := int(binary.LittleEndian.Uint32(text[at:]))
		if length == 0 {
			break
		}
		at += (frameHeader + length + 7) &^ 7
	}
	return int64(at)
}

func (j *journal) write(at int64, text []byte) {
	j.Helper()
	j.open(func(f *os.File) error { _, err := f.WriteAt(text, at); return err })
}

func (j *journal) truncate(size int64) {
	j.Helper()
	j.open(func(f *os.File) error { return f.Truncate(size) })
}

func (j *journal) open(change func(*os.File) error) {
	j.Helper()
	f, err := os.OpenFile(j.path, os.O_WRONLY, 0)
	if err != nil {
		j.Fatal(err)
	}
	err = change(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		j.Fatal(err)
	}
}
