package wire

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var at = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func newKey(t *testing.T) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

var good = Request{Kiosk: "gate-north", Site: "news.example", Path: TapPath, Body: []byte(`{"tap":1}`), Sequence: 7}

func signed(t *testing.T, r Request, key ed25519.PrivateKey) string {
	t.Helper()
	token, err := r.Sign(key, at)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAKiosksTokenIsGoodForItsRequest(t *testing.T) {
	public, private := newKey(t)
	token := signed(t, good, private)
	kiosk, err := Issuer(token)
	if err != nil || kiosk != good.Kiosk {
		t.Errorf("its issuer is %q, %v", kiosk, err)
	}
	for _, away := range []time.Duration{0, -TokenSkew, TokenLife + TokenSkew - time.Second} {
		if sequence, err := good.Verify(token, public, at.Add(away)); err != nil || sequence != good.Sequence {
			t.Errorf("%v away: sequence %d, %v", away, sequence, err)
		}
	}
}

// The attack: a token that was taken down from the network is sent with another request, to
// another site, later, or as another kiosk's.
func TestAKiosksTokenIsGoodForNothingElse(t *testing.T) {
	public, private := newKey(t)
	token := signed(t, good, private)
	for name, change := range map[string]func(r *Request, now *time.Time){
		"another path":           func(r *Request, _ *time.Time) { r.Path = CapturePath },
		"another body":           func(r *Request, _ *time.Time) { r.Body = []byte(`{"tap":2}`) },
		"no body":                func(r *Request, _ *time.Time) { r.Body = nil },
		"another site":           func(r *Request, _ *time.Time) { r.Site = "news.example:8443" },
		"another kiosk":          func(r *Request, _ *time.Time) { r.Kiosk = "gate-south" },
		"later":                  func(_ *Request, now *time.Time) { *now = at.Add(TokenLife + TokenSkew + time.Second) },
		"before it was made":     func(_ *Request, now *time.Time) { *now = at.Add(-TokenSkew - time.Second) },
		"the key of nobody":      func(*Request, *time.Time) { public = nil },
		"the key of another one": func(*Request, *time.Time) { public, _ = newKey(t) },
	} {
		t.Run(name, func(t *testing.T) {
			r, now, before := good, at, public
			change(&r, &now)
			defer func() { public = before }()
			if _, err := r.Verify(token, public, now); !errors.Is(err, ErrToken) {
				t.Errorf("it is taken: %v", err)
			} else if strings.Contains(err.Error(), token[:20]) {
				t.Error("the error has the token in it")
			}
		})
	}
}

// The attack: a token that says of itself how it is to be verified, or that lasts for years.
func TestAForgedKiosksTokenIsRefused(t *testing.T) {
	public, private := newKey(t)
	claims := func(life time.Duration) tokenBody {
		return tokenBody{
			RegisteredClaims: jwt.RegisteredClaims{
				Issuer: good.Kiosk, Audience: jwt.ClaimStrings{good.Site},
				IssuedAt: jwt.NewNumericDate(at), ExpiresAt: jwt.NewNumericDate(at.Add(life)),
			},
			Sequence: 8, Path: good.Path, Body: hashOf(good.Body),
		}
	}
	forge := func(method jwt.SigningMethod, c tokenBody, key any) string {
		token, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	endless, unissued := claims(time.Hour), claims(TokenLife)
	endless.ExpiresAt, unissued.IssuedAt = nil, nil
	for name, token := range map[string]string{
		"no signature":                  forge(jwt.SigningMethodNone, claims(TokenLife), jwt.UnsafeAllowNoneSignatureType),
		"the public key as HMAC secret": forge(jwt.SigningMethodHS256, claims(TokenLife), []byte(public)),
		"an hour of life":               forge(jwt.SigningMethodEdDSA, claims(time.Hour), private),
		"no end":                        forge(jwt.SigningMethodEdDSA, endless, private),
		"no beginning":                  forge(jwt.SigningMethodEdDSA, unissued, private),
		"nothing":                       "",
		"dots":                          "..",
		"too much":                      strings.Repeat("a", maxToken) + signed(t, good, private),
	} {
		if _, err := good.Verify(token, public, at); !errors.Is(err, ErrToken) {
			t.Errorf("%s is taken: %v", name, err)
		}
	}
	for _, token := range []string{"", "..", "a.b.c", strings.Repeat("a", maxToken+1)} {
		if kiosk, err := Issuer(token); !errors.Is(err, ErrToken) {
			t.Errorf("%.10q has issuer %q, %v", token, kiosk, err)
		}
	}
}
