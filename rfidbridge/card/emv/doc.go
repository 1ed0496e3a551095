// Package emv checks that a contactless bank card or phone is the one whose number it
// shows: the chain of certificates from a payment scheme's authority to the card, and the
// card's signature of a fresh challenge (dynamic data authentication, EMV Book 2; for
// contactless cards fDDA and CDA).
//
// It is for using a bank card as a token for a prepaid wallet. It charges nothing: no
// issuer is asked, and nothing here could be. Whoever reads card numbers is in the scope of
// PCI DSS; this package keeps none, prints none, and puts none into errors.
//
// It promises that what it returns was signed by a key that the authority vouches for, and
// has not expired. It does not know whether a card was lost or stolen, and does not talk to
// cards: see [Parse] for what they say.
package emv
