package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const browserTimeout = 60 * time.Second // of one test

// startBrowser starts a real Chromium with an empty profile, which knows no
// network but this machine's. The context is of its first tab.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("these tests need a browser. On Debian, as root: apt-get install chromium fonts-dejavu-core")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1000, 800),
		chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-US"),
	}
	if os.Geteuid() == 0 { // Chromium's sandbox does not run as root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := context.WithTimeout(context.Background(), browserTimeout)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("closing the browser: %v", err)
		}
		stopAllocator()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx
}

// tab is a browser's tab on a site. Its methods stop the test when they fail.
type tab struct {
	*server
	ctx      context.Context
	scripted bool

	mu         sync.Mutex
	complaints []string // what the console said
}

// newDevice opens a tab that shares no cookie with any other.
func newDevice(s *server, browser context.Context, scripted bool) *tab {
	s.Helper()
	return openTab(s, browser, scripted, chromedp.WithNewBrowserContext())
}

// secondTab opens a tab of the same device.
func (b *tab) secondTab() *tab {
	b.Helper()
	return openTab(b.server, b.ctx, b.scripted)
}

func openTab(s *server, parent context.Context, scripted bool, options ...chromedp.ContextOption) *tab {
	s.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	b := &tab{server: s, ctx: ctx, scripted: scripted}
	messages := chromedp.Console(ctx)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		for message, err := range messages {
			if err != nil {
				return
			}
			b.hear(message)
		}
	}()
	s.Cleanup(func() {
		cancel()
		<-listening
	})
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripted})
	b.must(err)
	return b
}

// hear keeps what the console says. That an answer is a 402 it tells as an
// error, which it is not; and a favicon is the browser's own idea.
func (b *tab) hear(m chromedp.ConsoleMessage) {
	paymentRequired := strings.Contains(m.Text, "402 (Payment Required)")
	if m.Source == "network" && (paymentRequired || strings.HasSuffix(m.URL, "/favicon.ico")) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf("%s (%s) at %s", m, m.Source, m.URL))
}

// wantsQuietConsole fails on errors, warnings and violations of a policy.
func (b *tab) wantsQuietConsole() {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		b.Errorf("the console says: %s", complaint)
	}
}

func (b *tab) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("the browser: %v\n%s", err, b.look())
	}
}

// look is the address and the text of the page, for messages.
func (b *tab) look() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return fmt.Sprintf("(no page: %v)", err)
	}
	return text
}

// visit goes to a path of the site, as by typing its address.
func (b *tab) visit(path string, status int64) {
	b.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.NavigateResponse(b.url+path))
	b.must(err)
	b.wantsStatus(answer, status)
}

// reload loads the page again.
func (b *tab) reload(status int64) {
	b.Helper()
	answer, err := chromedp.RunResponse(b.ctx, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, page.Reload, page.ReloadParams{})
		return chromedp.Void{}, err
	})
	b.must(err)
	b.wantsStatus(answer, status)
}

// click clicks on something that leads to another page.
func (b *tab) click(selector string, status int64) {
	b.Helper()
	answer, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	b.must(err)
	b.wantsStatus(answer, status)
}

// wantsStatus fails if the page was answered with another status. Where the
// browser had guessed at the page there may be no answer to a click, and the
// page itself knows.
func (b *tab) wantsStatus(answer *network.Response, want int64) {
	b.Helper()
	var got int64
	if answer != nil {
		got = answer.Status
	} else {
		got = evaluate[int64](b, `performance.getEntriesByType("navigation")[0].responseStatus`)
	}
	if got != want {
		b.Fatalf("the answer has status %d, want %d\n%s", got, want, b.look())
	}
}

// fill types into a field.
func (b *tab) fill(selector, text string) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible)))
}

// says fails if the page does not show the texts.
func (b *tab) says(texts ...string) {
	b.Helper()
	shown := b.look()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			b.Fatalf("the page does not say %q:\n%s", text, shown)
		}
	}
}

// saysNot fails if the page shows one of the texts.
func (b *tab) saysNot(texts ...string) {
	b.Helper()
	shown := b.look()
	for _, text := range texts {
		if strings.Contains(shown, text) {
			b.Fatalf("the page says %q:\n%s", text, shown)
		}
	}
}

// isAt fails if the page's path is another one.
func (b *tab) isAt(path string) {
	b.Helper()
	if got := evaluate[string](b, `location.pathname`); got != path {
		b.Fatalf("the browser is at %s, want %s", got, path)
	}
}

// evaluate asks the page. It works where the page's own scripts are off.
func evaluate[T any](b *tab, expression string) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	b.must(err)
	return value
}

// travel goes back or forward in the tab's history. It waits for the address
// and not for a load: a page that the browser has kept is not loaded again.
func (b *tab) travel(steps int64) {
	b.Helper()
	history, err := chromedp.Run(b.ctx, chromedp.NavigationEntries())
	b.must(err)
	entry := history.Entries[history.CurrentIndex+steps]
	_, err = chromedp.Call(b.ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: entry.ID})
	b.must(err)
	b.eventually("the browser is at "+entry.URL, func() bool {
		now, err := chromedp.Run(b.ctx, chromedp.NavigationEntries())
		if err != nil || now.Entries[now.CurrentIndex].ID != entry.ID {
			return false
		}
		ready, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.readyState`))
		return err == nil && ready == "complete"
	})
}

// eventually waits for something that another process is about to do.
func (b *tab) eventually(what string, holds func() bool) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("after 10 s it is still not so that %s\n%s", what, b.look())
		}
	}
}

// speaks sets the language that the browser asks for.
func (b *tab) speaks(languages string) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": languages},
	})
	b.must(err)
}
