package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed field
var fieldFiles embed.FS

// fieldMiddlewares are those of the field's that the public registries deliver
// and that can be run without a chain or a company behind them. Each takes
// payments that are granted at once, within its own process, and keeps no books.
var fieldMiddlewares = []struct{ name, program string }{
	{"@x402/express 2.27.0", "x402.mjs"},
	{"mppx/express 0.11.0", "mppx.mjs"},
}

// middleware is one of them, running.
type middleware struct {
	*process
	dir        string
	url        string
	credential string // path of the file with the header field that pays
}

// benchField measures others' middlewares in dir, each beside its own server
// without it.
func benchField(ctx context.Context, o options, dir string, progress io.Writer) (lines []line, err error) {
	modules, err := installField(ctx, o.dir)
	if err != nil {
		return nil, err
	}
	for _, one := range fieldMiddlewares {
		groups := chosen(fieldGroups(one.name), o.only)
		if len(groups) == 0 {
			continue
		}
		found, err := benchMiddleware(ctx, o, filepath.Join(modules, one.program), dir, groups, progress)
		if err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}
	return lines, nil
}

func benchMiddleware(ctx context.Context, o options, program, dir string, groups []group, progress io.Writer) ([]line, error) {
	m, err := launchMiddleware(program, dir)
	if err != nil {
		return nil, err
	}
	defer m.stop()
	return (&measurement{m, groups, progress}).measure(ctx, o)
}

// fieldGroups are the rows of a middleware.
func fieldGroups(name string) []group {
	refused := row{Site: name, Connections: fewConnections, Name: "402", accept: programAccept, refused: true}
	paid := row{Site: name, Connections: fewConnections, Name: "paid view, granted at once and kept nowhere", who: bearer, accept: programAccept}
	return []group{{refused}, {paid}}
}

// installField puts the programs, and what they need from the npm registry,
// into a folder below dir that later runs find again. No script of a package is
// run, and the paywall's own modules stay as they are.
func installField(ctx context.Context, dir string) (folder string, err error) {
	if folder, err = filepath.Abs(filepath.Join(dir, "field")); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", err
	}
	files, err := fs.Sub(fieldFiles, "field")
	if err != nil {
		return "", err
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		text, err := fs.ReadFile(files, entry.Name())
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, entry.Name()), text, 0o600); err != nil {
			return "", err
		}
	}
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--legacy-peer-deps")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install (the field is JavaScript: it needs Node.js 20 or later): %w\n%s", err, out)
	}
	return folder, nil
}

// launchMiddleware starts a program and returns when a request can pay.
func launchMiddleware(program, dir string) (*middleware, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(program)
	m := &middleware{dir: dir, url: "http://" + address, credential: filepath.Join(dir, name+".credential")}
	m.process, err = launch(dir, name, "", []string{"NODE_ENV=production"}, "node", program, port, m.credential)
	if err != nil {
		return nil, err
	}
	if err := m.ready(m.url + freePath + "1"); err != nil {
		m.stop()
		return nil, err
	}
	if err := m.awaitCredential(); err != nil {
		m.stop()
		return nil, m.broken(err)
	}
	return m, nil
}

// awaitCredential returns when the program has written its file, to the line's
// end.
func (m *middleware) awaitCredential() error {
	const looks = 1000
	for range looks {
		if text, err := os.ReadFile(m.credential); err == nil && bytes.HasSuffix(text, []byte("\n")) {
			return nil
		}
		time.Sleep(startTimeout / looks)
	}
	return errors.New("it does not say how to pay")
}

// runBare asks for pages that have no price, with the same header.
func (m *middleware) runBare(ctx context.Context, r row, window time.Duration) (sample, error) {
	r.path, r.refused = freePath, false
	return m.run(ctx, r, window)
}

func (m *middleware) runPriced(ctx context.Context, r row, window time.Duration) (sample, error) {
	r.path = pricedPath
	return m.run(ctx, r, window)
}

func (m *middleware) run(ctx context.Context, r row, window time.Duration) (sample, error) {
	l := load{
		url: m.url, window: window, limit: noLimit, connections: r.Connections, path: r.path, fields: "Accept: " + r.accept + "\r\n",
	}
	if r.who == bearer {
		l.lines = m.credential
	}
	got, counted, err := observe(ctx, m.dir, []load{l}, watched{servers: []*process{m.process}})
	if err == nil {
		err = r.judge(counted)
	}
	if err != nil {
		return got, fmt.Errorf("%v: %w", r, err)
	}
	return got, nil
}
