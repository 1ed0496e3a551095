package wire

import "github.com/caddy-paywall/caddy-paywall/wallet"

// A tap can pay for pages in the kiosk's own browser. The browser posts a code, which is the
// name of the kiosk and its grant, to BrowserPath, by a form; the kiosk asks at SessionPath
// whether it has, and says at LeavePath when the card has gone.
const (
	SessionPath = Prefix + "session"
	LeavePath   = Prefix + "leave"

	BrowserPath = "/.paywall/session/begin" // of the site, for a browser

	// The fields of the browser's form.
	CodeField   = "code"
	ReturnField = "return" // where the kiosk's own page is, on the loopback interface
)

// BrowserCode is what the browser posts for a grant of a kiosk.
func BrowserCode(kiosk, grant string) string { return kiosk + "." + grant }

// Session asks what has become of a grant that a browser may use. Over says that nobody
// waits any more: what has not begun by then does not begin, and its money goes back.
type Session struct {
	Grant string `json:"grant"`
	Over  bool   `json:"over,omitempty"`
}

// SessionState answers a Session.
type SessionState struct {
	Begun bool `json:"begun"` // the money is taken
	Ended bool `json:"ended"` // and the browser is signed out again
}

// Leave says that the card of a tap has gone: what it has opened in a browser ends. Without a
// tap all that the kiosk's taps have opened ends: it has begun anew, and knows of no card.
type Leave struct {
	ID wallet.OpID `json:"tap,omitzero"`
}
