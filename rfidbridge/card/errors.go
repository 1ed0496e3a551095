package card

import "errors"

var (
	// ErrForged is a proof that was not made with the card's key.
	ErrForged = errors.New("the card's proof is not made with its key")

	// ErrRefused is a card that answers with another status than success.
	ErrRefused = errors.New("the card refuses")

	errAnswer  = errors.New("the card's answer does not read")
	errRandom  = errors.New("no random numbers")
	errOrder   = errors.New("the authentication is asked out of order")
	errTooLong = errors.New("the command is too long")
)
