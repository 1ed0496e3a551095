// Package emv makes a contactless bank card or phone a token for a prepaid wallet: a
// [Terminal] carries out a transaction of nothing with it, up to the card's signature of a
// fresh challenge, and checks the chain of certificates from a payment scheme's authority
// to the key that has signed (EMV Book 2 and 3, Book C-3: fDDA; DDA and CDA where a card
// does not do that).
//
// It charges nothing: no issuer is asked, the amount is zero of no currency, and the
// cryptogram that a card may make is dropped. What comes out is a [Token], a keyed hash of
// the account's reference (PAR) where the card has a signed one, else of the card's number.
//
// Whoever reads card numbers is in the scope of PCI DSS. This package keeps none, prints
// none, puts none into errors, and overwrites the answers of cards once it is done, as far
// as the language lets it: what a garbage collector has moved, or a reader's daemon keeps,
// is out of its reach.
//
// It promises that a card which has a token has signed this terminal's challenge with a key
// that the authority vouches for, and has not expired. It does not know whether a card was
// lost or stolen, nor whether it is held at the reader or its answers are carried there
// from afar (relay), and knows RSA alone: cards with elliptic curves (XDA) prove nothing to
// it.
package emv
