// Package offline is what a kiosk grants by itself while the paywall does not answer: to cards
// that have paid here online, whose holders allow it, within what the paywall has lent for
// them or bounds as risk.
//
// It promises that no more is granted than that, also when the power is lost at any step or
// the clock is turned back; that a card which was denied is refused from when the kiosk has
// heard of it; that each grant is a record that the kiosk has signed and that follows the one
// before, kept in the journal until the paywall has settled it; and that what is kept of
// cards is worth nothing on another machine. Where it is not sure, it grants nothing.
//
// It knows a card by a keyed hash of its number, under a key of this kiosk's alone, and the
// paywall by the handle that it gives for the card here. It does not know whose the money is.
package offline
