package page

import (
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Frame is what every page has around its own content.
type Frame struct {
	// Lang is "en", "fr" or "it", see [Language]; any other reads as "en".
	Lang string

	// Currency is the paywall's.
	Currency wallet.Currency

	// SiteName stands at the top, as the link to "/", and in the title; empty:
	// the link has a neutral name.
	SiteName string

	// Path is where a GET shows this page, with its query if it has one. The
	// language links lead there. Anything but a path of this site reads as "/".
	Path string

	// Notice is what just happened; nil: nothing did.
	Notice *Notice

	// RecoveryCode is shown prominently, with advice to copy or print it. Set
	// it on one answer only, which must be no-store; empty: nothing is shown.
	RecoveryCode string
}

// Notice is a message at the top of a page.
type Notice struct {
	// Error makes it an alert, and marks the field.
	Error bool

	// Key is one of this package's message keys. See [Known] for one that
	// came from outside.
	Key string

	// Field is the form field it is about: FieldVoucher or FieldRecovery, so
	// that the alert links to the field and the field names the mistake.
	// Empty: none.
	Field string
}

// The paths that the forms post to, and the wallet page.
const (
	PayPath         = "/.paywall/pay"
	RedeemPath      = "/.paywall/vouchers/redeem"
	RecoverPath     = "/.paywall/recover"
	NewRecoveryPath = "/.paywall/wallet/recovery"
	WalletPath      = "/.paywall/wallet"
	CardsPath       = "/.paywall/cards"
	AddCardPath     = CardsPath + "/add"
	ChangeCardPath  = CardsPath + "/change"
	RemoveCardPath  = CardsPath + "/remove"
	SessionPath     = "/.paywall/session"
	EndSessionPath  = SessionPath + "/end"
	TapPath         = "/.paywall/tap"
	WantTapPath     = TapPath + "/want"
	PayTapPath      = TapPath + "/pay"
	BlockTapPath    = TapPath + "/block"
	TillPath        = "/.paywall/till"
	EnrolTillPath   = TillPath + "/enrol"
	TapTillPath     = TillPath + "/tap"
	DoneTillPath    = TillPath + "/done"
	LeaveTillPath   = TillPath + "/leave"
)

// frameView is a Frame as the layout needs it.
type frameView struct {
	Frame
	Languages []languageLink
	forms     bool // the page has the voucher and recovery forms
}

type languageLink struct {
	Tag, Name, Href string
	Current         bool
}

func (f Frame) view(forms bool) frameView {
	f.Lang = localeOf(f.Lang).tag
	f.SiteName, f.RecoveryCode = clean(f.SiteName, maxName), clean(f.RecoveryCode, maxName)
	v := frameView{Frame: f, forms: forms}
	for _, l := range locales {
		v.Languages = append(v.Languages, languageLink{
			Tag: l.tag, Name: l.name, Href: withLanguage(f.Path, l.tag), Current: l.tag == f.Lang,
		})
	}
	return v
}

// Action is where a form posts to, keeping the language.
func (v frameView) Action(path string) string { return withLanguage(path, v.Lang) }

// About reports whether the notice is about the field.
func (v frameView) About(field string) bool {
	return v.Notice != nil && v.Notice.Field == field
}

// Wrong reports whether the notice is an error about the field.
func (v frameView) Wrong(field string) bool { return v.About(field) && v.Notice.Error }

// FieldLink leads from the notice to its field; empty: it has none on this
// page.
func (v frameView) FieldLink() string {
	if v.forms && (v.Wrong(FieldVoucher) || v.Wrong(FieldRecovery)) {
		return "#" + v.Notice.Field
	}
	return ""
}
