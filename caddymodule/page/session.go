package page

import (
	_ "embed"
	"io"
	"strconv"
	"time"
)

// Session is the page that a kiosk's browser shows while a card has paid: a bar, and the
// pages of the site in a frame below. A script asks whether it is over, says so at once, and
// leaves nothing on the screen; without one the page asks again when the time is over.
type Session struct {
	Frame

	// Until is when it is over, Left how long that is from now.
	Until time.Time
	Left  time.Duration

	// Start is the path that the frame begins at.
	Start string
}

// SignedOut is what the browser shows when a session is over, or never was one.
type SignedOut struct {
	Frame

	// Next is the address of the kiosk's own page, for whoever comes next; empty: there is
	// none. The caller has made sure that it is on this machine.
	Next string
}

var (
	//go:embed session.css
	sessionStyleSource string
	sessionStyle       = compact(sessionStyleSource)

	//go:embed session.js
	sessionScript string
)

// Policy is the header Content-Security-Policy for the page in the place of
// [ContentSecurityPolicy]: it has a script of its own, and a frame of the same site.
func (Session) Policy() string { return sessionPolicy }

var sessionPolicy = policy(sessionStyle) + "; script-src " + source(sessionScript) + "; connect-src 'self'; frame-src 'self'"

// Render writes the page, as [Challenge.Render] does.
func (p Session) Render(w io.Writer) error { return render(w, p.Lang, "session", p.view()) }

// Render writes the page, as [Challenge.Render] does.
func (p SignedOut) Render(w io.Writer) error { return render(w, p.Lang, "signedout", p.view()) }

type sessionView struct {
	frameView
	Until        time.Time
	Milliseconds string
	Seconds      string
	Start        string
}

func (p Session) view() sessionView {
	return sessionView{
		frameView: p.Frame.view(false), Until: p.Until, Start: localPath(p.Start),
		Milliseconds: strconv.FormatInt(p.Left.Milliseconds(), 10),
		Seconds:      strconv.FormatInt(int64(p.Left/time.Second)+1, 10),
	}
}

type signedOutView struct {
	frameView
	Next string
}

func (p SignedOut) view() signedOutView { return signedOutView{p.Frame.view(false), p.Next} }
