package wallet

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// The cache holds cacheShards × shardTokens = 131 072 tokens, more than a busy
// site's wallets of one day. A place takes 88 bytes and its shard two more, so
// that all of it is 12 MB at most, whatever the tokens' length, and without a
// pointer for the garbage collector to follow.
const (
	cacheShards = 64 // locks of their own, so that cores seldom meet at one
	shardTokens = 2048
)

// tokenDigest is what a token is known by: its SHA-256. A shorter or weaker
// hash would let a forged token be taken for a genuine one with the same.
type tokenDigest [sha256.Size]byte

func digestOfToken(token string) tokenDigest {
	var text [MaxToken]byte // a copy on the stack: converting the string would allocate
	return sha256.Sum256(text[:copy(text[:], token)])
}

// knownToken is a verified token: its claims, and the index of its key in the
// ring.
type knownToken struct {
	wallet          WalletID
	maxPrice        Amount
	issued, expires int64 // Unix seconds
	generation      uint32
	key             int32
}

func (k knownToken) claims() Claims {
	return Claims{
		Wallet: k.wallet, Generation: k.generation, MaxPrice: k.maxPrice,
		Issued: time.Unix(k.issued, 0).UTC(), Expires: time.Unix(k.expires, 0).UTC(),
	}
}

// timely compares the times of a token with now, by the rules that the parser
// applied when it was new. until is its key's.
func (k knownToken) timely(until, now time.Time) error {
	const leeway = int64(tokenLeeway / time.Second)
	switch seconds := now.Unix(); {
	case !until.IsZero() && !now.Before(until):
		return errTokenKey
	case seconds < k.issued-leeway:
		return errTokenEarly
	case seconds >= k.expires+leeway:
		return ErrTokenExpired
	}
	return nil
}

// tokenCache remembers tokens whose signature is good, because a signature
// costs some 50 µs and a look-up less than one. Its memory is bounded: a full
// shard forgets a token that nobody has used since the last time it looked for
// one to forget, so that a flood of tokens that are each used once does not
// push out one in use. Safe for concurrent use.
type tokenCache struct{ shards [cacheShards]tokenShard }

// tokenShard is a hash table of chains (a digest is random already: its bits
// choose the chain) whose places a clock hand goes round.
type tokenShard struct {
	mu     sync.Mutex
	heads  []uint16 // first place of each chain, counted from one
	places []tokenPlace
	hand   int
}

type tokenPlace struct {
	digest tokenDigest
	token  knownToken
	next   uint16 // in its chain, counted from one
	used   bool   // since the hand passed
}

func newTokenCache() *tokenCache { return new(tokenCache) }

func (c *tokenCache) shard(digest *tokenDigest) *tokenShard {
	return &c.shards[digest[0]%cacheShards]
}

// get returns a verified token. It allocates nothing.
func (c *tokenCache) get(digest tokenDigest) (token knownToken, known bool) {
	s := c.shard(&digest)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(&digest); p != nil {
		p.used = true
		return p.token, true
	}
	return knownToken{}, false
}

// put remembers a verified token.
func (c *tokenCache) put(digest tokenDigest, token knownToken) {
	s := c.shard(&digest)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(&digest) != nil {
		return // two requests have verified it at once
	}
	at := s.vacate()
	head := s.head(&digest)
	s.places[at] = tokenPlace{digest: digest, token: token, next: *head}
	*head = uint16(at + 1)
}

func (s *tokenShard) find(digest *tokenDigest) *tokenPlace {
	if s.heads == nil {
		return nil
	}
	for at := *s.head(digest); at != 0; at = s.places[at-1].next {
		if p := &s.places[at-1]; p.digest == *digest {
			return p
		}
	}
	return nil
}

func (s *tokenShard) head(digest *tokenDigest) *uint16 {
	return &s.heads[binary.LittleEndian.Uint16(digest[1:])%shardTokens]
}

// vacate finds the place for one more token: a new one while there is room.
func (s *tokenShard) vacate() (at int) {
	if n := len(s.places); n < shardTokens {
		s.grow(n)
		return n
	}
	for s.places[s.hand].used {
		s.places[s.hand].used = false
		s.hand = (s.hand + 1) % shardTokens
	}
	at = s.hand
	s.hand = (s.hand + 1) % shardTokens
	s.unlink(at)
	return at
}

// grow adds a place after n. The memory comes with the tokens, and never more
// than the bound, which append would overshoot.
func (s *tokenShard) grow(n int) {
	if s.heads == nil {
		s.heads = make([]uint16, shardTokens)
	}
	if n == cap(s.places) {
		more := make([]tokenPlace, n, min(shardTokens, max(16, 2*n)))
		copy(more, s.places)
		s.places = more
	}
	s.places = s.places[:n+1]
}

// unlink takes a place out of its chain.
func (s *tokenShard) unlink(at int) {
	gone := &s.places[at]
	link := s.head(&gone.digest)
	for int(*link) != at+1 {
		link = &s.places[*link-1].next
	}
	*link = gone.next
}
