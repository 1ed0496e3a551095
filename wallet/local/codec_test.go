package local

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The journal keeps every page view for ever, so its bytes are what a site's
// disk fills with.
func TestAPageViewTakesLessThanAHundredBytesOfJournal(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	id, err := wallet.NewOpID(now.Add(-20*time.Millisecond), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	view := record{
		kind: wallet.KindCharge, id: id, time: now.UnixMilli(), content: 1<<64 - 1,
		walletAt: 999_999, prev: 1 << 33, amount: wallet.Unit / 10, balance: 19 * wallet.Unit, until: now.Add(24 * time.Hour).UnixMilli(),
		rule: "/articles/*", ruleAt: 3, ruleKnown: true, resource: "news.example.com/articles/2026/the-harbour-wall",
	}
	if n := len(view.append(nil)); n >= 100 {
		t.Errorf("it takes %d bytes", n)
	}
}
