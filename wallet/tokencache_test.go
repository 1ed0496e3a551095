package wallet

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

const cacheTokens = cacheShards * shardTokens

func (c *tokenCache) size() (n int) {
	for i := range c.shards {
		c.shards[i].mu.Lock()
		n += len(c.shards[i].places)
		c.shards[i].mu.Unlock()
	}
	return n
}

// remembers reports whether a token is in the cache, without using it.
func (r *Keyring) remembers(token string) bool {
	digest := digestOfToken(token)
	s := r.verified.shard(&digest)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(&digest) != nil
}

// verifyNumber is what a verified token leaves in the cache.
func (c *tokenCache) verifyNumber(i int) {
	c.put(digestOfToken(fmt.Sprint(i)), knownToken{generation: uint32(i)})
}

// What the comment promises in bytes is what the cache takes.
func TestAFloodOfDistinctTokensDoesNotFillMemory(t *testing.T) {
	cache := newTokenCache()
	for i := range 3 * cacheTokens {
		cache.verifyNumber(i)
		if i%cacheShards == 0 && cache.size() > cacheTokens {
			t.Fatalf("%d tokens are cached after %d, want at most %d", cache.size(), i+1, cacheTokens)
		}
	}
	bytes := 0
	for i := range cache.shards {
		s := &cache.shards[i]
		bytes += cap(s.places)*int(unsafe.Sizeof(tokenPlace{})) + cap(s.heads)*int(unsafe.Sizeof(s.heads[0]))
	}
	if bytes > 12e6 {
		t.Errorf("a full cache takes %d bytes, want at most 12 MB", bytes)
	}
	if _, known := cache.get(digestOfToken("0")); known {
		t.Error("the oldest token is still cached")
	}
	last := 3*cacheTokens - 1
	if got, known := cache.get(digestOfToken(fmt.Sprint(last))); !known || got.generation != uint32(last) {
		t.Errorf("the youngest token is %+v, cached: %t", got, known)
	}
}

// More wallets than the cache once held take their turns on a busy site.
func TestAHundredThousandTokensInUseAreAllCached(t *testing.T) {
	cache := newTokenCache()
	const wallets = 100_000
	for i := range wallets {
		cache.verifyNumber(i)
	}
	missed := 0
	for i := range wallets {
		if got, known := cache.get(digestOfToken(fmt.Sprint(i))); !known || got.generation != uint32(i) {
			missed++
		}
	}
	if missed > 0 {
		t.Errorf("%d of %d tokens are not cached", missed, wallets)
	}
}

func TestATokenInUseStaysCachedThroughAFlood(t *testing.T) {
	cache := newTokenCache()
	mine, want := digestOfToken("mine"), knownToken{generation: 7, expires: 1}
	cache.put(mine, want)
	for i := range 3 * cacheTokens {
		cache.verifyNumber(i)
		if i%(cacheTokens/4) == 0 {
			if got, known := cache.get(mine); !known || got != want {
				t.Fatalf("after %d other tokens: %+v, cached: %t", i+1, got, known)
			}
		}
	}
}

// Two tokens of one chain are told apart, and either can go.
func TestTokensOfOneChainAreToldApart(t *testing.T) {
	cache := newTokenCache()
	inOneChain := func(i int) tokenDigest { return tokenDigest{31: byte(i), 30: byte(i >> 8)} }
	for i := range 3 * shardTokens {
		cache.put(inOneChain(i), knownToken{generation: uint32(i + 1)})
	}
	for i := range 3 * shardTokens {
		got, known := cache.get(inOneChain(i))
		if want := i >= 2*shardTokens; known != want || known && got.generation != uint32(i+1) {
			t.Fatalf("token %d: %+v, cached: %t", i, got, known)
		}
	}
	if n := cache.size(); n != shardTokens {
		t.Errorf("%d places, want %d", n, shardTokens)
	}
}

// An attacker has no genuine tokens, but any number of others.
func TestAFloodOfForgedTokensDoesNotTouchTheCache(t *testing.T) {
	f := newForger(t)
	mine := f.genuine(t, nil)
	_ = must(f.ring.Verify(mine, noon))(t)
	header, rest, _ := strings.Cut(mine, ".")
	body, _, _ := strings.Cut(rest, ".")
	forged := 0
	refuse := func(token string) {
		if _, err := f.ring.Verify(token, noon); err != nil {
			forged++
		}
	}
	for i := range 20_000 {
		refuse(fmt.Sprintf("%s.%s.%d", header, body, i))
	}
	for i := range 100 { // the dear ones: only the signature is wrong, or only a claim
		refuse(fmt.Sprintf("%s.%s.%086d", header, body, i))
		refuse(f.genuine(t, object{"gen": 0, "jti": fmt.Sprint(i)}))
		refuse(f.genuine(t, object{"exp": noon.Add(-time.Hour).Unix() - int64(i)}))
	}
	if want := 20_000 + 300; forged != want {
		t.Errorf("%d of %d forged tokens are refused", forged, want)
	}
	if f.ring.verified.size() != 1 || !f.ring.remembers(mine) {
		t.Errorf("%d tokens are cached, want the genuine one", f.ring.verified.size())
	}
}

func TestAHitAllocatesNothing(t *testing.T) {
	ring := testRing(t)
	token := must(ring.Mint(testClaims(t)))(t)
	_ = must(ring.Verify(token, noon))(t)
	if n := testing.AllocsPerRun(100, func() { _, _ = ring.Verify(token, noon) }); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
	unknown := token + "x"
	if n := testing.AllocsPerRun(100, func() { _, _, _ = ring.Recall(unknown, noon) }); n != 0 {
		t.Errorf("recalling an unknown token allocates %v times", n)
	}
}

// Recall is what a limit asks before it lets a stranger cost a signature.
func TestRecallSettlesWhatCostsNoSignature(t *testing.T) {
	ring := testRing(t)
	claims := testClaims(t)
	token := must(ring.Mint(claims))(t)
	if got, settled, err := ring.Recall(token, noon); settled || err != nil || got != (Claims{}) {
		t.Errorf("a token that nobody has verified: %+v, settled %t, %v", got, settled, err)
	}
	_ = must(ring.Verify(token, noon))(t)
	if got, settled, err := ring.Recall(token, noon); !settled || err != nil || got != claims {
		t.Errorf("a verified token: %+v, settled %t, %v", got, settled, err)
	}
	if got, settled, err := ring.Recall(token, claims.Expires.Add(time.Hour)); !settled || !errors.Is(err, ErrTokenExpired) || got != (Claims{}) {
		t.Errorf("after its end: %+v, settled %t, %v", got, settled, err)
	}
	if _, settled, err := ring.Recall(strings.Repeat("x", MaxToken+1), noon); !settled || !errors.Is(err, errTokenLong) {
		t.Errorf("an endless one: settled %t, %v", settled, err)
	}
}

// Run with -race.
func TestTokensAreVerifiedConcurrently(t *testing.T) {
	ring := testRing(t)
	tokens := make([]string, 8)
	claims := make([]Claims, len(tokens))
	for i := range tokens {
		claims[i] = testClaims(t)
		claims[i].Generation = uint32(i + 1)
		tokens[i] = must(ring.Mint(claims[i]))(t)
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range cacheTokens / 16 {
				ring.verified.verifyNumber(worker*cacheTokens + i)
				if i%64 > 0 {
					continue
				}
				n := (i/64 + worker) % len(tokens)
				if got, err := ring.Verify(tokens[n], noon); err != nil || got != claims[n] {
					t.Errorf("token %d: got %+v, %v", n, got, err)
				}
				if _, err := ring.Verify(tokens[n]+"x", noon); err == nil {
					t.Errorf("token %d: a forged one is accepted", n)
				}
			}
		})
	}
	group.Wait()
	if ring.verified.size() > cacheTokens {
		t.Errorf("%d tokens are cached, want at most %d", ring.verified.size(), cacheTokens)
	}
}

func BenchmarkVerifyACachedToken(b *testing.B) {
	ring := testRing(b)
	token := must(ring.Mint(testClaims(b)))(b)
	_ = must(ring.Verify(token, noon))(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Verify(token, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyACachedTokenInParallel(b *testing.B) {
	ring := testRing(b)
	token := must(ring.Mint(testClaims(b)))(b)
	_ = must(ring.Verify(token, noon))(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = ring.Verify(token, noon)
		}
	})
}
