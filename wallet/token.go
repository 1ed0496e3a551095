package wallet

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxToken is the length in bytes above which a token is refused unread. A
// minted token has about 400.
const MaxToken = 2048

const (
	tokenIssuer = "caddy-paywall"
	tokenLeeway = 30 * time.Second // between the clocks of those who share a keyring
)

// The reasons a token is refused. Every one wraps ErrToken, and none holds any
// part of the token.
var (
	// ErrToken: the token opens no wallet of this paywall.
	ErrToken = errors.New("not a valid wallet token")

	// ErrTokenExpired: the token is genuine, but has expired.
	ErrTokenExpired = fmt.Errorf("%w: it has expired", ErrToken)

	errTokenLong      = fmt.Errorf("%w: it is longer than %d bytes", ErrToken, MaxToken)
	errTokenMalformed = fmt.Errorf("%w: it is malformed", ErrToken)
	errTokenHeader    = fmt.Errorf("%w: its header has members other than alg, kid and typ", ErrToken)
	errTokenKey       = fmt.Errorf("%w: its key is not in use here", ErrToken)
	errTokenSignature = fmt.Errorf("%w: its algorithm or signature is wrong", ErrToken)
	errTokenIssuer    = fmt.Errorf("%w: another program issued it", ErrToken)
	errTokenAudience  = fmt.Errorf("%w: it is for another paywall", ErrToken)
	errTokenEarly     = fmt.Errorf("%w: it is not valid yet; the clocks disagree", ErrToken)
	errTokenClaims    = fmt.Errorf("%w: a claim is missing or out of range", ErrToken)
)

// Claims is what a token says: its bearer may spend from a wallet. The ledger
// compares the generation at every charge, so a token never needs looking up
// and still ends at once when its generation is revoked (invariant 8).
type Claims struct {
	Wallet     WalletID
	Generation uint32    // at least 1
	MaxPrice   Amount    // the most that one charge may cost; zero: no limit
	Issued     time.Time // to the second
	Expires    time.Time // to the second
}

// tokenBody is the form of Claims in a token: a JSON Web Token (RFC 7519)
// signed with EdDSA (RFC 8037), with the claims gen and max_price beside the
// registered ones.
type tokenBody struct {
	jwt.RegisteredClaims
	Generation uint32  `json:"gen"`
	MaxPrice   *string `json:"max_price,omitempty"`
}

// Mint signs a token. Times are cut to the second. Claims that Verify would
// refuse, or that last longer than the ring's lifetime, are an error.
func (r *Keyring) Mint(c Claims) (string, error) {
	switch {
	case c.Wallet == WalletID{}:
		return "", errors.New("mint a token: no wallet")
	case c.Generation == 0:
		return "", errors.New("mint a token: generations start at 1")
	case c.MaxPrice < 0 || c.MaxPrice > MaxAmount:
		return "", fmt.Errorf("mint a token: a price limit of %s, must be 0 to %s", c.MaxPrice, MaxAmount)
	case !writable(c.Issued) || !writable(c.Expires) || !c.Expires.After(c.Issued):
		return "", fmt.Errorf("mint a token: issued %v, expires %v", c.Issued, c.Expires)
	case c.Expires.Sub(c.Issued) > r.lifetime:
		return "", fmt.Errorf("mint a token: a lifetime of %v, this ring's is %v", c.Expires.Sub(c.Issued), r.lifetime)
	}
	signer := r.keys[0]
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, r.bodyOf(c))
	unsigned.Header["kid"] = signer.id
	token, err := unsigned.SignedString(signer.private())
	if err != nil {
		return "", fmt.Errorf("mint a token: %w", err)
	}
	if len(token) > MaxToken {
		return "", fmt.Errorf("mint a token: longer than %d bytes; shorten the paywall's name", MaxToken)
	}
	return token, nil
}

func (r *Keyring) bodyOf(c Claims) tokenBody {
	body := tokenBody{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    tokenIssuer,
			Audience:  jwt.ClaimStrings{r.paywall},
			Subject:   c.Wallet.String(),
			IssuedAt:  jwt.NewNumericDate(c.Issued),
			ExpiresAt: jwt.NewNumericDate(c.Expires),
		},
		Generation: c.Generation,
	}
	if c.MaxPrice > 0 {
		limit := c.MaxPrice.String()
		body.MaxPrice = &limit
	}
	return body
}

// Verify returns what a token says, or an error that wraps [ErrToken]. It says
// nothing about the wallet: the charge itself learns whether it exists and
// whether the generation is current. A token that was verified before costs a
// look-up in memory; times are compared with now again all the same, with 30
// seconds of leeway.
func (r *Keyring) Verify(token string, now time.Time) (Claims, error) {
	if claims, settled, err := r.Recall(token, now); settled {
		return claims, err
	}
	fresh, err := r.verify(token, now)
	if err != nil {
		return Claims{}, err // not remembered: a flood of forgeries must not push out genuine tokens
	}
	r.verified.put(digestOfToken(token), fresh)
	return fresh.claims(), nil
}

// Recall is Verify as far as it costs no signature: settled reports whether the
// token was verified before, or is too long to be one. A caller that limits
// what strangers may cost asks here first.
func (r *Keyring) Recall(token string, now time.Time) (c Claims, settled bool, err error) {
	if len(token) > MaxToken {
		return Claims{}, true, errTokenLong
	}
	known, ok := r.verified.get(digestOfToken(token))
	if !ok {
		return Claims{}, false, nil
	}
	if err := known.timely(r.keys[known.key].until, now); err != nil {
		return Claims{}, true, err
	}
	return known.claims(), true, nil
}

// verify checks everything about a token, at the cost of its signature.
func (r *Keyring) verify(token string, now time.Time) (knownToken, error) {
	// The base64 decoder skips line breaks: one token would have many
	// spellings, each of them with its own place in the cache.
	if strings.ContainsAny(token, "\r\n") {
		return knownToken{}, errTokenMalformed
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(tokenIssuer), jwt.WithAudience(r.paywall),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(tokenLeeway),
		jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithStrictDecoding())
	var body tokenBody
	var key int
	_, err := parser.ParseWithClaims(token, &body, func(t *jwt.Token) (any, error) {
		var err error
		if key, err = r.keyOf(t.Header); err != nil {
			return nil, err
		}
		return r.keys[key].public, nil
	})
	if err != nil {
		return knownToken{}, refusal(err)
	}
	fresh, err := body.known()
	if err != nil {
		return knownToken{}, err
	}
	fresh.key = int32(key)
	return fresh, fresh.timely(r.keys[key].until, now)
}

// keyOf finds the index of the key that a token's header names. The header is not signed
// for yet: a member that brings a key along (jwk, jku, x5c, x5u), and one that
// must be understood (crit), are refused by being unknown.
func (r *Keyring) keyOf(header map[string]any) (int, error) {
	for name := range header {
		if name != "alg" && name != "kid" && name != "typ" {
			return 0, errTokenHeader
		}
	}
	id, _ := header["kid"].(string)
	key, ok := r.byID[id]
	if !ok {
		return 0, errTokenKey
	}
	return key, nil
}

// refusal names the reason behind a parser's error without its text, which may
// quote the token. Expiry comes last: only a token that is genuine in
// everything else has expired.
func refusal(err error) error {
	for _, reason := range []struct{ library, ours error }{
		{errTokenHeader, errTokenHeader},
		{errTokenKey, errTokenKey},
		{jwt.ErrTokenSignatureInvalid, errTokenSignature},
		{jwt.ErrTokenInvalidIssuer, errTokenIssuer},
		{jwt.ErrTokenInvalidAudience, errTokenAudience},
		{jwt.ErrTokenRequiredClaimMissing, errTokenClaims},
		{jwt.ErrTokenNotValidYet, errTokenEarly},
		{jwt.ErrTokenUsedBeforeIssued, errTokenEarly},
		{jwt.ErrTokenExpired, ErrTokenExpired},
	} {
		if errors.Is(err, reason.library) {
			return reason.ours
		}
	}
	return errTokenMalformed
}

// known reads the body of a token whose signature is good. It is still checked:
// an operator's key may sign elsewhere too.
func (b tokenBody) known() (knownToken, error) {
	wallet, err := ParseWalletID(b.Subject)
	if err != nil || wallet == (WalletID{}) || b.Generation == 0 {
		return knownToken{}, errTokenClaims
	}
	if b.IssuedAt == nil || !writable(b.IssuedAt.Time) || !writable(b.ExpiresAt.Time) {
		return knownToken{}, errTokenClaims
	}
	known := knownToken{
		wallet: wallet, generation: b.Generation,
		issued: b.IssuedAt.Unix(), expires: b.ExpiresAt.Unix(),
	}
	if b.MaxPrice != nil {
		if known.maxPrice, err = ParseAmount(*b.MaxPrice); err != nil {
			return knownToken{}, errTokenClaims
		}
	}
	return known, nil
}

// writable reports whether a token can carry t: a year of four digits, after
// 1970. Seconds beyond that overflow on their way through a float.
func writable(t time.Time) bool { return t.Unix() > 0 && t.Unix() < 253402300800 }
