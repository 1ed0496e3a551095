package page

import (
	"bytes"
	"sync/atomic"
	"unicode/utf8"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/press"
)

// Pressed is the [Challenge] of one price for readers without a wallet, who
// are the crowd: strangers and crawlers. Its pages are rendered once for each
// language, at the first request for one, and cut with package press: a page is
// then the same bytes as Challenge.Render writes, for a hundredth of the cost.
//
// There are at most four pages for a language, because a page without a title
// or a teaser has other words. Make one with [NewPressed]; it is safe for
// concurrent use.
type Pressed struct {
	price Challenge
	pages []atomic.Pointer[press.Press] // by variant
}

// NewPressed takes from price what all its pages share: Currency, SiteName,
// Window, Offers and Cards. The rest of it is not looked at.
func NewPressed(price Challenge) *Pressed {
	return &Pressed{
		price: Challenge{
			Frame:  Frame{Currency: price.Currency, SiteName: price.SiteName},
			Window: price.Window, Offers: price.Offers, Cards: price.Cards,
		},
		pages: make([]atomic.Pointer[press.Press], 4*len(locales)),
	}
}

// Stranger is what the page of a reader without a wallet says beyond its
// price. The fields mean what they do in [Challenge] and [Frame].
type Stranger struct {
	Lang, Title, Teaser, Path, Return string
}

// Append appends the page to dst.
func (p *Pressed) Append(dst []byte, s Stranger) ([]byte, error) {
	title, teaser := clean(s.Title, maxTitle), clean(s.Teaser, maxTeaser)
	page, err := p.page(s.Lang, title != "", teaser != "")
	if err != nil {
		return dst, err
	}
	before, after := aroundLanguage(s.Path)
	return page.Append(dst, title, teaser, localPath(s.Return), before, after), nil
}

// page is the page with holes. Two requests that are both the first render it
// twice, and either will do.
func (p *Pressed) page(lang string, title, teaser bool) (*press.Press, error) {
	variant := &p.pages[variantOf(lang, title, teaser)]
	if made := variant.Load(); made != nil {
		return made, nil
	}
	made, err := p.press(lang, title, teaser)
	if err != nil {
		return nil, err
	}
	variant.Store(&made)
	return &made, nil
}

func variantOf(lang string, title, teaser bool) (n int) {
	for i, l := range locales {
		if l.tag == lang { // any other reads as the first
			n = 4 * i
		}
	}
	if title {
		n += 2
	}
	if teaser {
		n++
	}
	return n
}

// press renders the page with a mark for each value, in the order of Append.
func (p *Pressed) press(lang string, title, teaser bool) (press.Press, error) {
	var (
		titleHole     = press.Hole{Mark: press.Mark(), Escape: appendText}
		teaserHole    = press.Hole{Mark: press.Mark(), Escape: appendText}
		returnHole    = press.Hole{Mark: press.Mark(), Escape: appendText}
		beforeTagHole = press.Hole{Mark: press.Mark(), Escape: appendURL}
		afterTagHole  = press.Hole{Mark: press.Mark(), Escape: appendURL}
	)
	c := p.price
	c.Lang = lang
	v := c.view()
	v.Return = returnHole.Mark
	if title {
		v.Title = titleHole.Mark
	}
	if teaser {
		v.Teaser = teaserHole.Mark
	}
	for i, l := range v.Languages {
		v.Languages[i].Href = beforeTagHole.Mark + l.Tag + afterTagHole.Mark
	}
	var text bytes.Buffer
	if err := render(&text, lang, "challenge", v); err != nil {
		return press.Press{}, err
	}
	return press.Cut(text.String(), titleHole, teaserHole, returnHole, beforeTagHole, afterTagHole), nil
}

// appendText escapes a value for text and for attributes, and defuses it as
// render does a whole page: no hole has a brace or a broken character beside it.
func appendText(dst []byte, value string) []byte { return appendDefused(dst, value, press.HTML) }

// appendURL escapes a part of a path of this site for an attribute that is a URL.
func appendURL(dst []byte, value string) []byte { return appendDefused(dst, value, press.URL) }

func appendDefused(dst []byte, value string, escape press.Escape) []byte {
	start := len(dst)
	dst = escape(dst, value)
	written := dst[start:]
	if !bytes.Contains(written, []byte("{{")) && utf8.Valid(written) {
		return dst
	}
	return append(dst[:start], defuse(bytes.Clone(written))...)
}
