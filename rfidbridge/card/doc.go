// Package card proves that a card is what it says: the cryptography of the chips that a
// tap can be from, seen from the side that has the keys.
//
//   - [SUN]: the message that an NTAG 424 DNA puts into the address it shows, which any
//     phone opens (Bolt Cards are these)
//   - [EV2], then a [Session]: mutual authentication with an NTAG 424 DNA, a DESFire EV2 or
//     EV3
//   - [EV1], then an [EV1Session], and [Ultralight]: the same of a DESFire EV1 with AES and
//     of a MIFARE Ultralight AES
//   - [Diversify] and [BoltKeys]: a key of its own for each card, so that one that is taken
//     apart opens no other
//   - [Genuine]: whether NXP has made the chip's UID, which says nothing of who shows it
//
// It makes the commands that a card is to be sent and reads what the card answers; who
// carries them there and back is not its business. It promises that nothing is believed
// which a card's key has not signed, that comparisons take the same time whatever they
// find, and that no key is printed by accident. It knows no money, and nothing of whether a
// message has been seen before: the counter of a [SUN] has to be compared and set where the
// money moves, in one step.
//
// Formats are those of NXP's application notes AN12196 (NTAG 424 DNA), AN12343 (MIFARE
// Ultralight AES), AN10922 (diversification), and of RFC 4493 (AES-CMAC), whose published
// examples are the tests.
package card
