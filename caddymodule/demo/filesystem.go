package demo

import (
	"embed"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func init() { caddy.RegisterModule(Magazine{}) }

//go:embed magazine
var embedded embed.FS

// Magazine is a file system with the demo magazine in it. It has no options.
// It is safe for concurrent use.
type Magazine struct{}

// CaddyModule returns the Caddy module information.
func (Magazine) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "caddy.fs.paywall_demo",
		New: func() caddy.Module { return new(Magazine) },
	}
}

// UnmarshalCaddyfile reads the global option
//
//	filesystem <name> paywall_demo
func (Magazine) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.ArgErr()
	}
	if d.NextBlock(d.Nesting()) {
		return d.Errf("paywall_demo has no options")
	}
	return nil
}

// Open opens a file or directory of the magazine for reading.
func (Magazine) Open(name string) (fs.File, error) {
	opened, err := files().Open(name)
	if err != nil {
		return nil, err
	}
	return file{opened}, nil
}

// Stat describes a file or directory of the magazine.
func (Magazine) Stat(name string) (fs.FileInfo, error) {
	stat, err := fs.Stat(files(), name)
	if err != nil {
		return nil, err
	}
	return info{stat}, nil
}

// files is the magazine without the directory it is embedded in.
var files = sync.OnceValue(func() fs.FS {
	sub, err := fs.Sub(embedded, "magazine")
	if err != nil {
		panic(err) // the name is a constant: a broken build
	}
	return sub
})

// published is a fixed day: file_server sends neither ETag nor Last-Modified
// for the zero time that embedded files have.
var published = time.Date(2026, time.November, 2, 6, 0, 0, 0, time.UTC)

// edition is the modification time of all files: the day, and a few seconds
// that follow from their content. file_server makes an ETag of time and size;
// with the day alone, an edit that keeps the size would stay hidden behind
// what browsers have stored.
var edition = sync.OnceValue(func() time.Time {
	sum := crc32.NewIEEE()
	err := fs.WalkDir(files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files(), path)
		sum.Write(content)
		return err
	})
	if err != nil {
		panic(err) // embedded files can be read: a broken build
	}
	return published.Add(time.Duration(sum.Sum32()))
})

// file is an embedded file with the edition's time. It seeks, for ranges.
type file struct{ fs.File }

func (f file) Stat() (fs.FileInfo, error) {
	stat, err := f.File.Stat()
	return info{stat}, err
}

func (f file) Seek(offset int64, whence int) (int64, error) {
	if seeker, ok := f.File.(io.Seeker); ok {
		return seeker.Seek(offset, whence)
	}
	return 0, errors.New("a directory has no position")
}

func (f file) ReadDir(n int) ([]fs.DirEntry, error) {
	directory, ok := f.File.(fs.ReadDirFile)
	if !ok {
		return nil, errors.New("a file has no entries")
	}
	entries, err := directory.ReadDir(n)
	for i := range entries {
		entries[i] = entry{entries[i]}
	}
	return entries, err
}

type entry struct{ fs.DirEntry }

func (e entry) Info() (fs.FileInfo, error) {
	stat, err := e.DirEntry.Info()
	return info{stat}, err
}

type info struct{ fs.FileInfo }

func (info) ModTime() time.Time { return edition() }

// Interface guards
var (
	_ fs.StatFS             = Magazine{}
	_ caddyfile.Unmarshaler = Magazine{}
	_ io.ReadSeeker         = file{}
	_ fs.ReadDirFile        = file{}
)
