package emv

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Limits on a file of authorities: schemes have a dozen keys each.
const (
	mostAuthorities     = 200
	mostAuthoritiesSize = 1 << 20 // bytes
)

var errAuthorities = errors.New("authorities are a JSON list of rid, index, modulus, exponent and hash, each in hexadecimal")

// ParseAuthorities reads the keys of schemes, which the operator has from them or from an
// acquirer: a JSON list of objects with rid, index, modulus, exponent and hash, each in
// hexadecimal. The error says which of them is wrong.
func ParseAuthorities(text []byte) ([]*Authority, error) {
	var forms []struct{ RID, Index, Modulus, Exponent, Hash string }
	if len(text) > mostAuthoritiesSize || json.Unmarshal(text, &forms) != nil || len(forms) == 0 || len(forms) > mostAuthorities {
		return nil, errAuthorities
	}
	all := make([]*Authority, len(forms))
	for i, form := range forms {
		var fields [5][]byte
		for j, digits := range []string{form.RID, form.Index, form.Modulus, form.Exponent, form.Hash} {
			var err error
			if fields[j], err = hex.DecodeString(digits); err != nil {
				return nil, fmt.Errorf("authority %d: %w", i+1, errAuthorities)
			}
		}
		if len(fields[0]) != 5 || len(fields[1]) != 1 {
			return nil, fmt.Errorf("authority %d: a rid has 5 bytes, and an index one", i+1)
		}
		var err error
		if all[i], err = NewAuthority([5]byte(fields[0]), fields[1][0], fields[2], fields[3], fields[4]); err != nil {
			return nil, fmt.Errorf("authority %d: %w", i+1, err)
		}
	}
	return all, nil
}
