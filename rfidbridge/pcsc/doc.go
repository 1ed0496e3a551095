// Package pcsc talks to pcscd, the daemon of smart card readers of pcsc-lite, over its Unix
// socket, without C: every version since 1.8.24 (protocols 4:4 to 4:6).
//
// A [Client] says which readers there are, tells of each change as it happens, and carries
// commands to a card that nobody else may talk to meanwhile. It promises that no event is
// lost, and that an answer which did not come whole is an error. It does not reconnect:
// whoever uses it opens another when a daemon is gone, and takes no [Card] for the one
// that lay there before an error: within the daemon's poll, cards can be changed under a
// handle without a word of it. It knows nothing of what cards say.
//
// The protocol is read off the daemon (winscard_msg.h and winscard_svc.c of pcsc-lite): 32-bit
// fields in the byte order of the machine, a header of size and command before requests, and
// none before answers.
package pcsc
