package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// TokenLife is how long a token lasts: as long as a request is on its way.
	TokenLife = 30 * time.Second
	// TokenSkew is how far the clocks of kiosk and paywall may differ.
	TokenSkew = 2 * time.Minute

	maxToken = 1024
)

// ErrToken is a request that is not the kiosk's own. What wraps it holds no part of the
// token.
var ErrToken = errors.New("the request does not carry a kiosk's token of its own")

// Request is what a token is good for: one request of one kiosk to one site.
type Request struct {
	Kiosk    string
	Site     string // the paywall's host, with its port if it has one
	Path     string
	Body     []byte
	Sequence uint64 // above that of every request of this kiosk before
}

// tokenBody is a JSON Web Token (RFC 7519) signed with EdDSA (RFC 8037). Path and the hash
// of the body are in it, so that it goes with no other request; the sequence, so that it
// goes with this one once.
type tokenBody struct {
	jwt.RegisteredClaims
	Sequence uint64 `json:"seq"`
	Path     string `json:"htu"`
	Body     string `json:"bh"`
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Sign makes the token of a request.
func (r Request) Sign(key ed25519.PrivateKey, now time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, tokenBody{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: r.Kiosk, Audience: jwt.ClaimStrings{r.Site},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(TokenLife)),
		},
		Sequence: r.Sequence, Path: r.Path, Body: hashOf(r.Body),
	})
	return token.SignedString(key)
}

// Issuer is the kiosk that a token says it is of. Nothing is proved yet: it is for finding
// the key to verify with.
func Issuer(token string) (string, error) {
	if len(token) > maxToken {
		return "", fmt.Errorf("%w: it is too long", ErrToken)
	}
	var body tokenBody
	if _, _, err := jwt.NewParser().ParseUnverified(token, &body); err != nil || !IsName(body.Issuer) {
		return "", fmt.Errorf("%w: it does not read", ErrToken)
	}
	return body.Issuer, nil
}

// Verify reports whether a token is this request's, and returns its sequence, which is the
// caller's to compare with the last: the Request's own is not looked at.
func (r Request) Verify(token string, key ed25519.PublicKey, now time.Time) (sequence uint64, err error) {
	if len(token) > maxToken || len(key) != ed25519.PublicKeySize {
		return 0, ErrToken
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(r.Kiosk), jwt.WithAudience(r.Site),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(TokenSkew), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	var body tokenBody
	_, err = parser.ParseWithClaims(token, &body, func(*jwt.Token) (any, error) { return key, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return 0, fmt.Errorf("%w: it is of another time; the clocks of kiosk and paywall disagree", ErrToken)
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return 0, fmt.Errorf("%w: it is for another site", ErrToken)
	case err != nil:
		return 0, fmt.Errorf("%w: its signature is wrong", ErrToken)
	case body.IssuedAt == nil || body.ExpiresAt.Sub(body.IssuedAt.Time) > TokenLife:
		return 0, fmt.Errorf("%w: it lasts too long", ErrToken)
	case body.Path != r.Path || body.Body != hashOf(r.Body):
		return 0, fmt.Errorf("%w: it is of another request", ErrToken)
	}
	return body.Sequence, nil
}
