package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pages serves documents by path, sells letters as visits and articles singly,
// and logs every request.
func pages(documents map[string]string) func(port, admin string) string {
	return func(port, admin string) string {
		var responses strings.Builder
		paths := make([]string, 0, len(documents))
		for path := range documents {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		for _, path := range paths {
			fmt.Fprintf(&responses, "\trespond %s <<HTML\n%s\nHTML 200\n", path, documents[path])
		}
		return fmt.Sprintf(`{
	admin %s
	persist_config off
}
http://localhost:%s {
	bind 127.0.0.1
	log
	header Content-Type text/html
	paywall /articles/* 0.10
	paywall /research/* {
		bundle 10 1.00
	}
%s	respond "<!doctype html><title>A page</title><main><h1>Page {path}</h1>"
}
`, admin, port, responses.String())
	}
}

func TestABrowserTellsWhatItsConsoleSays(t *testing.T) {
	site := newServer(t, pages(map[string]string{
		"/violation": `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'"><script>1</script>`,
		"/error":     `<!doctype html><script>console.error("it is broken")</script>`,
		"/exception": `<!doctype html><script>undefined.x</script>`,
	}))
	site.start()
	b := newDevice(site, startBrowser(t), true)
	for _, path := range []string{"/violation", "/error", "/exception"} {
		b.visit(path, 200)
		b.eventually("the console has something to say of "+path, func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return strings.Contains(strings.Join(b.complaints, "\n"), path)
		})
	}
}

func TestABrowserWithoutJavaScriptRunsNone(t *testing.T) {
	site := newServer(t, pages(map[string]string{
		"/scripted": `<!doctype html><title>as written</title><p>text</p><script>document.title = "changed"</script>`,
	}))
	site.start()
	browser := startBrowser(t)
	for scripted, want := range map[bool]string{true: "changed", false: "as written"} {
		b := newDevice(site, browser, scripted)
		b.visit("/scripted", 200)
		if title := evaluate[string](b, `document.title`); title != want {
			t.Errorf("with scripts %t the title is %q", scripted, title)
		}
	}
}
