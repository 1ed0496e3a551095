package wallet

import (
	"strings"
	"sync"
	"time"
)

// cacheGeneration is how many tokens one of the cache's two generations holds.
// Both together hold at most twice as many: 10 MB of tokens as they are minted,
// 37 MB of the longest.
const cacheGeneration = 8192

// tokenCache remembers tokens whose signature is good, because a signature
// costs some 50 µs and a look-up less than one. Its memory is bounded: when
// the young generation is full it becomes the old one, and the old one is
// forgotten. A token that is used moves to the young generation, so a flood of
// tokens that are each used once does not push it out. Safe for concurrent
// use.
type tokenCache struct {
	mu         sync.RWMutex
	young, old map[string]*verifiedToken
}

// verifiedToken is never changed once it is in the cache.
type verifiedToken struct {
	token    string
	claims   Claims
	keyUntil time.Time // when its key stops to verify; zero: with the ring
}

func newTokenCache() *tokenCache { return &tokenCache{young: map[string]*verifiedToken{}} }

// get returns the verified token, or nil. A hit allocates nothing.
func (c *tokenCache) get(token string) *verifiedToken {
	c.mu.RLock()
	known, young := c.young[token]
	if !young {
		known = c.old[token]
	}
	c.mu.RUnlock()
	if known != nil && !young {
		c.insert(known)
	}
	return known
}

// put remembers a token. The token is copied, because the string is usually
// part of a larger request header that would stay in memory with it.
func (c *tokenCache) put(token string, verified verifiedToken) {
	verified.token = strings.Clone(token)
	c.insert(&verified)
}

func (c *tokenCache) insert(verified *verifiedToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= cacheGeneration {
		c.young, c.old = c.old, c.young
		if c.young == nil {
			c.young = make(map[string]*verifiedToken, cacheGeneration)
		}
		clear(c.young) // keeps its memory, so that moving a hit here allocates nothing
	}
	c.young[verified.token] = verified
}

// timely compares the times of a token with now, by the rules that the parser
// applied when it was new.
func (v *verifiedToken) timely(now time.Time) error {
	switch {
	case !v.keyUntil.IsZero() && !now.Before(v.keyUntil):
		return errTokenKey
	case now.Before(v.claims.Issued.Add(-tokenLeeway)):
		return errTokenEarly
	case !now.Before(v.claims.Expires.Add(tokenLeeway)):
		return ErrTokenExpired
	}
	return nil
}
