package virtual

import "slices"

// status is the second byte of the status words of a native command; the first is 91.
type status byte

// The statuses of the data sheets that these cards answer with.
const (
	statusDone       status = 0x00
	statusIllegal    status = 0x1C // no command of this card
	statusIntegrity  status = 0x1E // its MAC or its padding is wrong
	statusNoKey      status = 0x40
	statusLength     status = 0x7E
	statusPermission status = 0x9D
	statusParameter  status = 0x9E
	statusNoApp      status = 0xA0
	statusDelay      status = 0xAD // too many have failed to authenticate
	statusAuth       status = 0xAE
	statusMore       status = 0xAF
	statusBoundary   status = 0xBE // behind the end of a file
	statusDuplicate  status = 0xDE
	statusNoFile     status = 0xF0
)

// with is an answer of data and a status.
func (s status) with(data []byte) []byte { return append(slices.Clone(data), 0x91, byte(s)) }

// The status words of ISO commands.
var (
	done        = []byte{0x90, 0x00}
	notFound    = []byte{0x6A, 0x82}
	wrongLength = []byte{0x67, 0x00}
	unknown     = []byte{0x6D, 0x00}
)

// dataOf is what a short command carries, with or without a byte at its end that says how
// much it asks for.
func dataOf(apdu []byte) (data []byte, ok bool) {
	if len(apdu) <= 5 {
		return nil, len(apdu) >= 4
	}
	n := int(apdu[4])
	if n == 0 || len(apdu) != 5+n && len(apdu) != 6+n {
		return nil, false
	}
	return apdu[5 : 5+n], true
}
