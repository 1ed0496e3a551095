package virtual

// frames are the rest of an answer that a card gives in several, each when it is asked for.
type frames [][]byte

// next is the first one, and the card's status with it.
func (f *frames) next() []byte {
	first := (*f)[0]
	if *f = (*f)[1:]; len(*f) > 0 {
		return statusMore.with(first)
	}
	*f = nil
	return statusDone.with(first)
}
