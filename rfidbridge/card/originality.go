package card

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"math/big"
	"sync"
)

// SignatureSize is that of NXP's signature of a UID.
const SignatureSize = 56

// nxpPublic is the key with which NXP signs the UIDs of NTAG 424 DNA (AN12196, table 30),
// as an uncompressed point.
const nxpPublic = "048A9B380AF2EE1B98DC417FECC263F8449C7625CECE82D9B916C992DA" +
	"209D68422B81EC20B65A66B5102A61596AF3379200599316A00A1410"

var nxp = sync.OnceValue(func() *ecdsa.PublicKey {
	point, err := hex.DecodeString(nxpPublic)
	if err != nil {
		panic(err) // it is a constant
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P224(), point)
	if err != nil {
		panic(err)
	}
	return public
})

// Genuine reports whether NXP has signed a UID: a chip's own, or that of another chip whose
// signature was copied. It shows imitations that did not take the trouble, and proves
// nothing of who is there.
func Genuine(uid UID, signature [SignatureSize]byte) bool {
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	return ecdsa.Verify(nxp(), uid[:], r, s) // the UID is signed as it is, without a hash
}
