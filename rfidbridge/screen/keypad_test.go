package screen

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// browse opens the screen's page in a real browser.
func (s *stage) browse() context.Context {
	s.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		s.Fatal("this test needs a browser. On Debian, as root: apt-get install chromium fonts-dejavu-core")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(s.TempDir()), chromedp.WindowSize(800, 480), chromedp.Headless, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true),
	}
	if os.Geteuid() == 0 { // Chromium's sandbox does not run as root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, _ = chromedp.NewContext(ctx)
	s.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			s.Logf("closing the browser: %v", err)
		}
		stopAllocator()
		stop()
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(800, 480), chromedp.Navigate(s.server.URL)); err != nil {
		s.Fatal(err)
	}
	return ctx
}

// A screen that is touched has keys for the PIN. What has been typed stays while the page
// hears of other things, and is not to be read.
func TestAPINIsTypedOnAScreen(t *testing.T) {
	s := raise(t)
	s.Sells(gate, "USD")
	browser := s.browse()
	run := func(script string) string {
		t.Helper()
		result, err := chromedp.Run(browser, chromedp.Evaluate[string](script))
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	until := func(script string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); run(script) != "true"; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("never %s:\n%s", script, run(`document.body.innerText`))
			}
		}
	}
	_, entered := s.asks(t.Context(), false)
	until(`"" + (document.querySelectorAll(".keys button").length === 11)`)
	const press = `[...document.querySelectorAll(".keys button")].find(k => k.textContent === "`
	for _, sign := range []string{"4", "7", "2", "⌫", "1"} {
		run(press + sign + `").click(); ""`)
	}
	s.Sells(wire.Product{Name: "gate", Title: "The other gate", Price: "0.10"}, "USD")
	until(`"" + (document.querySelector("main").dataset.version === "3")`)
	run(press + `1").click(); ""`)
	if shown := run(`const f = document.querySelector("#pin"); [f.type, f.value.length, document.activeElement === f].join()`); shown != "password,4,true" {
		t.Errorf("the field is %s", shown)
	}
	if fits := run(`[document.documentElement.scrollHeight <= innerHeight, document.documentElement.scrollHeight, innerHeight].join()`); !strings.HasPrefix(fits, "true") {
		t.Errorf("the keys do not fit on a small screen: %s", fits)
	}
	run(`document.querySelector("button[value=enter]").click(); ""`)
	if digits, err := entered(); err != nil || digits != "4711" {
		t.Errorf("what was typed is not what was entered: %v", err)
	}
	until(`"" + !!document.querySelector("h1")?.textContent.includes("Checking")`)
}
