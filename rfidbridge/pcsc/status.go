package pcsc

import (
	"errors"
	"fmt"
)

// StatusError is what pcscd answers to a command that did not succeed.
type StatusError uint32

// The statuses that a reader of cards has to tell apart.
const (
	ErrUnknownReader     StatusError = 0x80100009
	ErrSharingViolation  StatusError = 0x8010000B
	ErrNoCard            StatusError = 0x8010000C
	ErrNotTransacted     StatusError = 0x80100016 // the card was torn away
	ErrReaderUnavailable StatusError = 0x80100017
	ErrServiceStopped    StatusError = 0x8010001E
	ErrUnresponsive      StatusError = 0x80100066
	ErrUnpowered         StatusError = 0x80100067
	ErrReset             StatusError = 0x80100068
	ErrRemoved           StatusError = 0x80100069
)

var statusTexts = map[StatusError]string{
	ErrUnknownReader:     "there is no such reader",
	ErrSharingViolation:  "another program has the card",
	ErrNoCard:            "there is no card",
	ErrNotTransacted:     "the card was torn away",
	ErrReaderUnavailable: "the reader was unplugged",
	ErrServiceStopped:    "pcscd has stopped, or speaks another protocol",
	ErrUnresponsive:      "the card does not answer",
	ErrUnpowered:         "the card has no power",
	ErrReset:             "the card was reset",
	ErrRemoved:           "the card was removed",
}

func (s StatusError) Error() string {
	if text, known := statusTexts[s]; known {
		return text
	}
	return fmt.Sprintf("pcscd answers %#08x", uint32(s))
}

// Gone reports whether the card, or what was known of it, is no longer there: its handle
// must be given up.
func (s StatusError) Gone() bool {
	switch s {
	case ErrNoCard, ErrNotTransacted, ErrReaderUnavailable, ErrUnresponsive, ErrUnpowered, ErrReset, ErrRemoved, ErrUnknownReader:
		return true
	}
	return false
}

var (
	// ErrDaemon is a daemon that is not there, or is no more.
	ErrDaemon = errors.New("pcscd cannot be reached")

	// ErrRefused is one that closes the connection before a word: polkit.
	ErrRefused = errors.New("pcscd refuses this user: give it the actions org.debian.pcsc-lite.access_pcsc and access_card by a rule of polkit")

	// ErrProtocol is one that speaks a protocol which this package does not.
	ErrProtocol = errors.New("pcscd speaks another protocol than 4:4 to 4:6")

	// ErrTorn is an answer without a status, which a card gives that is torn away.
	ErrTorn = errors.New("the card was torn away while it answered")
)
