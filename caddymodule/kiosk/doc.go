// Package kiosk is the paywall's side of kiosks: who is one, whose a card is, and what
// becomes of a tap.
//
// It promises that a request is a kiosk's own and counts once; that a message of a card is
// accepted once, by comparing and setting its counter in the ledger; that the price is the
// paywall's and not what a kiosk says; that a tap takes money once however often it is
// sent, and none that nobody has asked to capture: what is neither captured nor released
// goes back by itself. What kiosks have granted by themselves is taken or owed once, and no
// more of it than a card was allowed (see Offline). The limits of a card and of what it has
// proved are kept with it; a PIN has three tries, however many kiosks it is entered at; of a
// card and the one that takes its place never both pay. No card's number and no PIN is stored,
// only their keyed hashes.
//
// Everything that it remembers is in registers of the ledger, so that any instance behind
// one ledger judges alike:
//
//	kiosk:<name>            its key, its newest sequence, its state, its last taps
//	kiosk-code:<digest>     for whom a code for enrolment is, and until when
//	card:<hash>             the wallet, the counter, the limits, the PIN, what was spent today
//	cards:<wallet>:<hash>   which cards a wallet has
//	offline:<kiosk>:<card>  the lease of a card at a kiosk, and what it has used of its bounds
//	chain:<kiosk>           how far its records of offline taps are settled, and what is wrong
//	debt:<wallet>:<tap>     what a wallet owes for an offline tap
//	denials, denials:<n>    which cards kiosks have to hear of that must not pay any more
//	session:<hold>          what a tap has opened in a kiosk's browser, until when, the secret's digest
//	issued:<hash>           which keys a card has or gets that no wallet has, and whether it is made
//
// A grant, a claim, what a phone may do with a card that it has read (see Touch) and what it
// has paid for (see Pass) are sealed under a key of the paywall's and kept by who has them.
//
// It does not know HTTP, Caddy, pages, or what a kiosk does with a grant.
package kiosk
