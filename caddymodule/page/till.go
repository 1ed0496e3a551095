package page

import (
	_ "embed"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Till is the page with which somebody sells: a browser, or a phone that reads cards. What
// has to be typed without a script, a script reads by Web NFC where the browser has that.
type Till struct {
	Frame

	// Kiosk is the till's name; empty: this browser is none, and the page asks for the
	// code with which it becomes one.
	Kiosk string

	// Products are what there is to sell, of which Product is chosen; nil: none is, and the
	// page offers them all.
	Products []Goods
	Product  *Goods

	// Tap makes a form that is sent twice one tap.
	Tap string

	// Format is how the till's reader writes numbers, one of Formats.
	Format  string
	Formats []string

	// Result is what has become of the last tap; nil: there was none.
	Result *TillResult
}

// Goods is a product.
type Goods struct {
	Name, Title string
	Price       wallet.Amount
	Decimal     string // Price, as the form sends it back
}

// TillResult is what has become of a tap.
type TillResult struct {
	// Title and Text are in the words of a kiosk's screen.
	Title, Text string
	Good        bool

	// Grant is what is sent back when the product has been handed out, or not; empty: there
	// is nothing to hand out.
	Grant string

	// Again offers that a second purchase is meant.
	Again bool

	// Claim is the address at which an unknown card is claimed, Picture the same as a QR
	// code, a data: address of ours; both empty: there is none.
	Claim, Picture string

	// Ask has the page ask for the card's PIN; it is sent back with that. Wrong: the last
	// one was.
	Ask   string
	Wrong bool
}

//go:embed till.js
var tillScript string

// Policy is the header Content-Security-Policy for the page in the place of
// [ContentSecurityPolicy]: it has a script of its own, and pictures of codes.
func (Till) Policy() string { return tillPolicy }

var tillPolicy = strings.Replace(policy(stylesheet), "img-src 'self'", "img-src 'self' data:", 1) +
	"; script-src " + source(tillScript) + "; connect-src 'self'"

// Render writes the page, as [Challenge.Render] does.
func (p Till) Render(w io.Writer) error { return render(w, p.Lang, "till", p.view()) }

type tillView struct {
	frameView
	Kiosk, Tap string
	Products   []Goods
	Product    *Goods
	Format     string
	Formats    []string
	Result     *TillResult
	Picture    template.URL
}

func (p Till) view() tillView {
	v := tillView{
		frameView: p.Frame.view(false), Kiosk: p.Kiosk, Tap: p.Tap, Format: p.Format, Formats: p.Formats, Result: p.Result,
	}
	for _, g := range p.Products {
		g.Title = clean(g.Title, maxTitle)
		v.Products = append(v.Products, g)
	}
	if p.Product != nil {
		chosen := *p.Product
		chosen.Title = clean(chosen.Title, maxTitle)
		v.Product = &chosen
	}
	if p.Result != nil {
		v.Picture = template.URL(p.Result.Picture) //nolint:gosec // of our own
	}
	return v
}

// Choice is the address at which a product is sold, with numbers in a format.
func (v tillView) Choice(product, format string) string {
	return TillPath + "?" + url.Values{"format": {format}, "lang": {v.Lang}, "product": {product}}.Encode()
}
