package emv

// Dynamic data that a card has signed have the format 05, the hash's algorithm, and their
// length before them.
const (
	formatDynamic = 0x05
	dynamicHead   = 3
)

// Dynamic checks the card's signature (9F4B) of a challenge, and returns what the card has
// said in it. terminal is all that the terminal has said, the challenge included, in the
// order that the protocol gives: for fDDA the unpredictable number, amount, currency and
// 9F69; else what the card's DDOL asks for. The challenge has to be new each time.
func (c *Card) Dynamic(signature, terminal []byte) ([]byte, error) {
	content, err := c.key.recover(signature, formatDynamic, terminal)
	if err != nil {
		return nil, err
	}
	n := int(content[2])
	if content[1] != 0x01 || dynamicHead+n > len(content) { // SHA-1
		return nil, ErrForged
	}
	for _, filler := range content[dynamicHead+n:] {
		if filler != 0xBB {
			return nil, ErrForged
		}
	}
	return content[dynamicHead : dynamicHead+n], nil
}
