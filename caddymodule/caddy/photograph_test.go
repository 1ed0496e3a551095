package main_test

import (
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// photographs is the environment variable that names the directory for the
// pictures that the README shows.
const photographs = "PAYWALL_SCREENSHOTS"

const (
	pictureWidth  = 760
	pictureHeight = 1600      // the tallest, in CSS pixels
	pictureSize   = 150 << 10 // the largest that a README should load
)

// photograph writes a picture of the page. A test without a directory for it
// writes it to where nobody looks, so that taking it is tested all the same.
func (b *tab) photograph(name string) {
	b.Helper()
	b.photographAt(name, pictureWidth, pictureHeight)
}

// photographAt writes a picture of the page's upper part.
func (b *tab) photographAt(name string, width, tallest int64) {
	b.Helper()
	dir := os.Getenv(photographs)
	if dir == "" || !b.scripted { // the page is the same with scripts and without
		dir = b.TempDir()
	}
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 1)))
	height := min(tallest, evaluate[int64](b, `document.documentElement.scrollHeight`))
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)))
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	b.must(err)
	b.must(chromedp.Do(b.ctx, chromedp.ResetViewport()))
	if len(picture) > pictureSize {
		b.Errorf("the picture %s has %d bytes, and should have at most %d", name, len(picture), pictureSize)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		b.Fatal(err)
	}
}

// photographDark writes pictures of the page for a reader who likes it dark, and
// for one with a small screen.
func (b *tab) photographDark() {
	b.Helper()
	b.prefers("dark")
	b.photograph("dark")
	b.prefers("")
	b.photographAt("narrow", narrow, pictureHeight)
}

// prefers sets the colour scheme that the reader likes; empty: the browser's.
func (b *tab) prefers(scheme string) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	b.must(err)
}

const narrow = 320 // CSS pixels: WCAG 2.2, 1.4.10

// wantsNarrow fails if the page scrolls sideways on the narrowest screen.
func (b *tab) wantsNarrow() {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(narrow, 600)))
	if width := evaluate[int](b, `document.documentElement.scrollWidth`); width > narrow {
		b.Errorf("%s is %d pixels wide on a screen of %d", evaluate[string](b, `location.pathname`), width, narrow)
	}
	b.must(chromedp.Do(b.ctx, chromedp.ResetViewport()))
}
