package caddymodule

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// What tells the files apart. A priced file is made of a byte that occurs
// nowhere else, so that any part of it is noticed, and is of a day of its own.
const (
	pricedByte = 0xF5
	pricedDay  = "Sat, 03 Feb 2001 04:05:06 GMT"
	freeMark   = "free-for-everybody"
	boughtMark = "bought-already"
)

var (
	pricedFile = bytes.Repeat([]byte{pricedByte}, 1500)

	pricedFiles = []string{
		"articles/index.html", "articles/1.html", "articles/1.html.gz", "articles/sub/2.html", "articles/.hidden", "articles/a b.html",
		"articles/1.php", "articles/index.php", "articles/%31.html", `articles/a\b.html`, "articles/ä.html", "solo.html",
	}
	freeFiles = []string{"index.html", "free.html", "free.html.gz", "free/a.html", "index.php", "articles.html", "articlesx/1.html"}
)

// bypassWays are the ways on which a site can serve its files. {paywall} stands
// for the prices, which the site beside it lacks.
var bypassWays = []struct{ name, directives string }{
	{"file_server", "{paywall}\nfile_server {\nprecompressed gzip\n}"},
	{"browse", "{paywall}\nfile_server browse"},
	{"without canonical addresses", "{directories}\nfile_server {\ndisable_canonical_uris\nindex index.html free.html\n}"},
	{"encode", "encode gzip\n{paywall}\nfile_server"},
	{"try_files", "try_files {path} {path}.html {path}/index.html /free.html\n{paywall}\nfile_server"},
	{"route", "route {\n{paywall}\nfile_server\n}"},
	{"handle", "{paywall}\nhandle /articles/* {\nfile_server\n}\nhandle {\nfile_server\n}"},
	{"handle_path", "{paywall}\nhandle_path /shop/* {\n{paywall}\nfile_server\n}\nhandle {\nfile_server\n}"},
	{"strip_prefix", "uri strip_prefix /shop\n{paywall}\nfile_server"},
	{"rewrite", "rewrite /read/* /articles/{file}\nuri replace /old/ /articles/\n{paywall}\nfile_server"},
	{"error pages", "{paywall}\nfile_server\nhandle_errors {\nrewrite * /free.html\nfile_server\n}"},
	{"whole site", "{whole}\nfile_server"},
	{"proxy", "{paywall}\nreverse_proxy {files}"},
	{"proxy that rewrites", "{paywall}\nreverse_proxy {files} {\nrewrite /under{uri}\nheader_up Host elsewhere\n}"},
	{"proxy to one that looks at the beginning", "{paywall}\nreverse_proxy {prefixes}"},
	{"proxy that streams", "{paywall}\nreverse_proxy {files} {\nflush_interval -1\n}"},
	{"php_fastcgi", "{paywall}\nphp_fastcgi {php}\nfile_server"},
	{"fastcgi by hand", "{directories}\nreverse_proxy {php} {\ntransport fastcgi {\nsplit .php\n}\n}"},
}

// bypassSites is every way twice: with prices, and beside it without. Nobody
// can pay: the only wallet has spent its money on one page. A server waits for
// the end of a request as long as its patience lasts.
type bypassSites struct {
	testing.TB
	root   string
	priced []string // addresses by way
	bare   []string
	fill   []*strings.Replacer // what stands for the host and the credentials, by way
}

func startBypassSites(t testing.TB, patience time.Duration) *bypassSites {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	s := &bypassSites{TB: t, root: t.TempDir()}
	s.writeFiles()
	upstreams := s.upstreams()
	known := strings.NewReplacer(append(upstreams, "{whole}", "paywall 0.10", "{paywall}", "paywall /articles/* 0.10\npaywall /solo.html 0.10",
		"{directories}", "@priced path /articles /articles/* /solo.html /solo.html/\npaywall @priced 0.10")...)
	free := strings.NewReplacer(append(upstreams, "{whole}", "", "{paywall}", "", "{directories}", "")...)
	config := fmt.Sprintf("{\nadmin off\nservers {\nprotocols h1 h2c\ntimeouts {\nread_header %[1]s\nread_body %[1]s\nidle %[1]s\n}\n}\n}\n", patience)
	for _, way := range bypassWays {
		for _, site := range []struct {
			addresses *[]string
			fill      *strings.Replacer
		}{{&s.priced, known}, {&s.bare, free}} {
			address := freeAddress(t)
			*site.addresses = append(*site.addresses, address)
			_, port, err := net.SplitHostPort(address)
			s.must(err)
			config += fmt.Sprintf("http://:%s {\nbind 127.0.0.1\nroot %s\n%s\n}\n", port, s.root, site.fill.Replace(way.directives))
		}
	}
	adapted, err := adapt(config)
	s.must(err)
	s.must(caddy.Load(adapted, true))
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.buyOne()
	return s
}

func (s *bypassSites) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *bypassSites) writeFiles() {
	s.Helper()
	day, err := http.ParseTime(pricedDay)
	s.must(err)
	write := func(name string, text []byte) string {
		name = filepath.Join(s.root, name)
		s.must(os.MkdirAll(filepath.Dir(name), 0o755))
		s.must(os.WriteFile(name, text, 0o644))
		return name
	}
	for _, name := range pricedFiles {
		s.must(os.Chtimes(write(name, pricedFile), day, day))
	}
	for _, name := range freeFiles {
		write(name, []byte(freeMark+" "+name))
	}
	write("articles/bought.html", []byte(boughtMark))
	elsewhere := filepath.Join(s.TempDir(), "elsewhere.html")
	s.must(os.WriteFile(elsewhere, pricedFile, 0o644))
	s.must(os.Symlink(elsewhere, filepath.Join(s.root, "articles/link.html")))
}

// upstreams are the servers behind the proxies, and their names in the ways.
func (s *bypassSites) upstreams() []string {
	s.Helper()
	files := http.FileServer(http.Dir(s.root))
	serve := func(h http.Handler) string {
		server := httptest.NewServer(h)
		s.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	s.Cleanup(func() { listener.Close() })
	go func() { _ = fcgi.Serve(listener, http.HandlerFunc(s.runScript)) }() // ends with the listener
	return []string{
		"{files}", serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/under/") {
				http.StripPrefix("/under", files).ServeHTTP(w, r)
			} else {
				files.ServeHTTP(w, r)
			}
		})),
		"{prefixes}", serve(http.HandlerFunc(lookAtTheBeginning)),
		"{php}", listener.Addr().String(),
	}
}

// runScript is PHP: the script that the server names answers.
func (s *bypassSites) runScript(w http.ResponseWriter, r *http.Request) {
	name, err := filepath.Rel(s.root, fcgi.ProcessEnv(r)["SCRIPT_FILENAME"])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	text, err := os.ReadFile(filepath.Join(s.root, filepath.Clean("/"+name)))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(text)
}

// lookAtTheBeginning is an upstream for which everything is an article that in
// any reading begins with the directory of the articles.
func lookAtTheBeginning(w http.ResponseWriter, r *http.Request) {
	for _, reading := range []string{r.RequestURI, r.URL.Path, path.Clean(r.URL.Path), r.URL.EscapedPath()} {
		if strings.HasPrefix(reading, "/articles/") {
			_, _ = w.Write(pricedFile)
			return
		}
	}
	_, _ = io.WriteString(w, freeMark)
}
