// Package issue makes blank cards a paywall's, and a paywall's cards blank again.
//
// Its scripts carry commands to a card and read the answers; who carries them is not their
// business, nor where the keys come from. It promises that a card which is taken away at any
// moment is no card lost: the script is run again with the same keys, asks the card how far
// it is, and does what is left. It promises that no key is tried that the card does not say
// it has, and none twice in one run, because cards count the tries that fail; and that
// nothing is written on a card that is another than the caller means, or that has somebody
// else's keys.
//
// What a card is told:
//
//	NTAG 424 DNA     K0 to K4 in their slots; its file shows the address with a SUN message
//	DESFire          the application [card.Application] with K0, K3 and K4 in slots 0, 1, 2
//	Ultralight AES   K3 and K4 as its two keys; its memory shows the address, and can be
//	                 written with K3 alone
//
// All keys get the version 1, and [Inspect] tells by it, without a key, how far a card is.
// What cannot be taken back is not done, but for two bytes of an Ultralight that say that its
// memory is a message.
package issue
