package wallet

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

func (c *tokenCache) size() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.young) + len(c.old)
}

func TestAFloodOfDistinctTokensDoesNotFillMemory(t *testing.T) {
	cache := newTokenCache()
	for i := range 5 * cacheGeneration {
		cache.put(fmt.Sprint(i), verifiedToken{})
		if cache.size() > 2*cacheGeneration {
			t.Fatalf("%d tokens are cached after %d, want at most %d", cache.size(), i+1, 2*cacheGeneration)
		}
	}
	if cache.get("0") != nil {
		t.Error("the oldest token is still cached")
	}
	if cache.get(fmt.Sprint(5*cacheGeneration-1)) == nil {
		t.Error("the youngest token is not cached")
	}
}

func TestATokenInUseStaysCachedThroughAFlood(t *testing.T) {
	cache := newTokenCache()
	cache.put("mine", verifiedToken{claims: testClaims(t)})
	for i := range 5 * cacheGeneration {
		cache.put(fmt.Sprint(i), verifiedToken{})
		if i%(cacheGeneration/2) == 0 {
			if known := cache.get("mine"); known == nil || known.claims != testClaims(t) {
				t.Fatalf("after %d other tokens: %+v", i+1, known)
			}
		}
	}
}

// An attacker has no genuine tokens, but any number of others.
func TestAFloodOfForgedTokensDoesNotTouchTheCache(t *testing.T) {
	f := newForger(t)
	mine := f.genuine(t, nil)
	_ = must(f.ring.Verify(mine, noon))(t)
	known := f.ring.verified.get(mine)
	header, rest, _ := strings.Cut(mine, ".")
	body, _, _ := strings.Cut(rest, ".")
	forged := 0
	refuse := func(token string) {
		if _, err := f.ring.Verify(token, noon); err != nil {
			forged++
		}
	}
	for i := range 2 * cacheGeneration {
		refuse(fmt.Sprintf("%s.%s.%d", header, body, i))
	}
	for i := range 100 { // the dear ones: only the signature is wrong, or only a claim
		refuse(fmt.Sprintf("%s.%s.%086d", header, body, i))
		refuse(f.genuine(t, object{"gen": 0, "jti": fmt.Sprint(i)}))
		refuse(f.genuine(t, object{"exp": noon.Add(-time.Hour).Unix() - int64(i)}))
	}
	if want := 2*cacheGeneration + 300; forged != want {
		t.Errorf("%d of %d forged tokens are refused", forged, want)
	}
	if f.ring.verified.size() != 1 || f.ring.verified.get(mine) != known {
		t.Errorf("%d tokens are cached, want the genuine one", f.ring.verified.size())
	}
}

func TestACachedTokenDoesNotKeepTheRequestInMemory(t *testing.T) {
	ring := testRing(t)
	header := "Bearer " + must(ring.Mint(testClaims(t)))(t)
	token := header[len("Bearer "):]
	_ = must(ring.Verify(token, noon))(t)
	for kept := range ring.verified.young {
		if unsafe.StringData(kept) == unsafe.StringData(token) {
			t.Error("the cache holds the request's own string")
		}
	}
}

func TestAHitAllocatesNothing(t *testing.T) {
	ring := testRing(t)
	token := must(ring.Mint(testClaims(t)))(t)
	_ = must(ring.Verify(token, noon))(t)
	hit := func() { _, _ = ring.Verify(token, noon) }
	if n := testing.AllocsPerRun(100, hit); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
	for i := range 2 * cacheGeneration { // until both generations have their memory
		ring.verified.put(fmt.Sprint(i), verifiedToken{})
	}
	_ = must(ring.Verify(token, noon))(t)
	aged := 0
	moved := func() {
		c := ring.verified
		c.mu.Lock()
		if known := c.young[token]; known != nil {
			delete(c.young, token)
			c.old[token] = known
			aged++
		}
		c.mu.Unlock()
		hit()
	}
	if n := testing.AllocsPerRun(100, moved); n != 0 || aged < 100 {
		t.Errorf("a hit in the old generation allocates %v times in %d hits", n, aged)
	}
}

// Run with -race, and while generations change.
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
			for i := range cacheGeneration / 2 {
				ring.verified.put(fmt.Sprint(worker, "/", i), verifiedToken{})
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
	if ring.verified.size() > 2*cacheGeneration {
		t.Errorf("%d tokens are cached, want at most %d", ring.verified.size(), 2*cacheGeneration)
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
