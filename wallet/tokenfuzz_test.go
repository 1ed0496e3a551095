package wallet

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
)

func FuzzVerify(f *testing.F) {
	forger := newForger(f)
	token := forger.genuine(f, nil)
	f.Add(token)
	f.Add(token[:len(token)-1] + "\n")
	f.Add(segment(f, forger.header(object{"alg": "none"})) + ".e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := forger.ring.Verify(text, noon)
		if text != token && err == nil {
			t.Fatalf("a forged token is accepted: %q", text)
		}
		if err != nil && (!errors.Is(err, ErrToken) || len(text) > 100 && holdsPart(err.Error(), text)) {
			t.Fatalf("error %v", err)
		}
	})
}

// FuzzVerifySigned signs whatever claims come, as an operator's key may that
// is used elsewhere too.
func FuzzVerifySigned(f *testing.F) {
	forger := newForger(f)
	header := segment(f, forger.header(nil))
	f.Add(must(json.Marshal(forger.body(object{"max_price": "0.50"})))(f))
	f.Add(must(json.Marshal(forger.body(object{"exp": 1e300})))(f))
	f.Add([]byte(`{"GEN":1,"gen":null}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		token := forger.signed(header, base64.RawURLEncoding.EncodeToString(body))
		claims, err := forger.ring.Verify(token, noon)
		if err != nil {
			if !errors.Is(err, ErrToken) {
				t.Fatalf("error %v does not wrap ErrToken", err)
			}
			return
		}
		if claims.Wallet == (WalletID{}) || claims.Generation == 0 || claims.MaxPrice < 0 || claims.MaxPrice > MaxAmount {
			t.Fatalf("claims out of range: %+v", claims)
		}
		if claims.Issued.After(noon.Add(tokenLeeway)) || !claims.Expires.After(noon.Add(-tokenLeeway)) {
			t.Fatalf("claims out of time: %+v", claims)
		}
	})
}
