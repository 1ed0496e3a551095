package offline

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// good is a question that is answered with yes: from a lease of 5.00 of which 2.00 are used.
func good(t *testing.T) question {
	t.Helper()
	id, err := wallet.NewOpID(noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return question{
		card: known{
			Mutual: true, Tap: 10 * wallet.Unit, Lease: id, Left: 5 * wallet.Unit, Until: noon.Add(time.Hour).UnixMilli(), Seen: noon.Add(-time.Hour).UnixMilli(),
			Risk: wire.Risk{Tap: "3.00", Card: "9.00", Taps: 9},
		},
		price: wallet.Unit, product: wire.Product{Name: "coffee", Price: "1.00"}, leased: use{2 * wallet.Unit, 2},
		terms: &wire.Offline{
			Proof: "mutual", Age: time.Hour.Milliseconds(), Denied: (2 * time.Hour).Milliseconds(),
			Risk: wire.Risk{Tap: "2.00", Card: "3.00", Taps: 3, Total: "10.00", Count: 20},
		},
		now: noon, trust: Sure, contact: noon.Add(-time.Minute), news: noon.Add(-time.Minute),
	}
}

// Each bound stops what is beyond it, and nothing short of it.
func TestEachBoundStopsWhatIsBeyondIt(t *testing.T) {
	noLease := func(q *question) { q.card.Lease = wallet.OpID{} }
	for name, c := range map[string]struct {
		change func(q *question)
		want   error // nil: it is granted
	}{
		"the whole lease":                     {func(q *question) { q.leased.sum = 4 * wallet.Unit }, nil},
		"from the lease, not surely":          {func(q *question) { q.trust = Plausible }, nil},
		"from the lease, long alone":          {func(q *question) { q.contact = noon.Add(-100 * time.Hour) }, nil},
		"more than the lease":                 {func(q *question) { q.leased.sum = 4*wallet.Unit + 1; q.terms.Risk = wire.Risk{} }, errBounds},
		"a lease that is over":                {func(q *question) { q.card.Until = noon.UnixMilli(); q.terms.Risk = wire.Risk{} }, errBounds},
		"more than the lease, and without":    {func(q *question) { q.leased.sum = 5 * wallet.Unit }, nil},
		"no terms":                            {func(q *question) { q.terms = nil }, errOff},
		"what the paywall hands out":          {func(q *question) { q.product.Online = true }, errOnline},
		"a product that asks for a bank card": {func(q *question) { q.product.Proof = "emv" }, errProof},
		"a number":                            {func(q *question) { q.card.Mutual = false }, errProof},
		"a number, from its lease":            {func(q *question) { q.card.Mutual, q.terms.Proof = false, "uid" }, nil},
		"a number, for what needs more":       {func(q *question) { q.card.Mutual, q.terms.Proof, q.product.Proof = false, "uid", "sun" }, errProof},
		"a number without a lease":            {func(q *question) { noLease(q); q.card.Mutual, q.terms.Proof = false, "uid" }, errBounds},
		"a clock that was turned back":        {func(q *question) { q.trust = Back }, errClock},
		"old news":                            {func(q *question) { q.news = noon.Add(-2*time.Hour - 1) }, errNews},
		"news just young enough":              {func(q *question) { q.news = noon.Add(-2 * time.Hour) }, nil},
		"the card's own limit":                {func(q *question) { q.card.Tap = wallet.Unit - 1 }, errBounds},
		"nothing to pay":                      {func(q *question) { q.price = 0 }, errBounds},

		"without a lease":                        {noLease, nil},
		"without a lease, not surely":            {func(q *question) { noLease(q); q.trust = Plausible }, errClock},
		"without a lease, long alone":            {func(q *question) { noLease(q); q.contact = noon.Add(-time.Hour - 1) }, errContact},
		"without a lease, a card of last year":   {func(q *question) { noLease(q); q.card.Seen = noon.Add(-seenWithin - time.Second).UnixMilli() }, errContact},
		"without a lease, a tap too dear":        {func(q *question) { noLease(q); q.price = 2*wallet.Unit + 1 }, errBounds},
		"without a lease, all of the card's sum": {func(q *question) { noLease(q); q.card.Sum, q.risked.sum = wallet.Unit, wallet.Unit }, nil},
		"without a lease, more than that":        {func(q *question) { noLease(q); q.card.Sum, q.risked.sum = wallet.Unit, wallet.Unit+1 }, errBounds},
		"without a lease, the last tap":          {func(q *question) { noLease(q); q.card.Taps, q.risked.taps = 1, 1 }, nil},
		"without a lease, once too often":        {func(q *question) { noLease(q); q.card.Taps, q.risked.taps = 2, 1 }, errBounds},
		"without a lease, the kiosk's last":      {func(q *question) { noLease(q); q.all = use{9 * wallet.Unit, 19} }, nil},
		"without a lease, above the kiosk's sum": {func(q *question) { noLease(q); q.all.sum = 9*wallet.Unit + 1 }, errKiosk},
		"without a lease, above its count":       {func(q *question) { noLease(q); q.all.taps = 20 }, errKiosk},
		"without a lease, without a risk":        {func(q *question) { noLease(q); q.terms.Risk = wire.Risk{} }, errBounds},
		"without a lease, the card's own risk":   {func(q *question) { noLease(q); q.card.Risk.Card = "0.99" }, errBounds},
		"without a lease, a card without risk":   {func(q *question) { noLease(q); q.card.Risk = wire.Risk{} }, errBounds},
		"a risk that does not read":              {func(q *question) { noLease(q); q.terms.Risk.Card = "lots" }, wallet.ErrAmount},
	} {
		q := good(t)
		c.change(&q)
		if from, err := q.lease(); !errors.Is(err, c.want) || c.want == nil && err != nil || err != nil && from != (wallet.OpID{}) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A clock is believed as far as the paywall's word and the time since then go.
func TestTheClockIsNotBelievedForMoreThanItKnows(t *testing.T) {
	wall, since := noon, time.Hour
	c := clock{wall: func() time.Time { return wall }, since: func() time.Duration { return since }, noted: noon.Add(-time.Minute)}
	wants := func(what string, want time.Time, trust Trust) {
		t.Helper()
		if now, got := c.now(); !now.Equal(want) || got != trust {
			t.Errorf("%s: it is %v, %d, want %v, %d", what, now, got, want, trust)
		}
	}
	wants("at the start", noon, Plausible)
	wall = noon.Add(-time.Second)
	wants("turned back", noon, Back)
	c.tell(noon.Add(10 * time.Minute))
	wants("told", noon.Add(10*time.Minute), Sure)
	since += time.Minute
	wants("a minute later, by a clock that stands still", noon.Add(11*time.Minute), Sure)
	wall = wall.Add(time.Hour)
	wants("after a sleep that nobody counted", noon.Add(70*time.Minute), Sure)
	wall = wall.Add(-24 * time.Hour)
	wants("turned back again", noon.Add(70*time.Minute), Sure)
	c.tell(noon)
	wants("told that what was noted is wrong", noon, Sure)
}

func TestCardsThatWereLongestAwayAreForgottenFirst(t *testing.T) {
	s := state{Cards: make(map[tap.ID]*known)}
	id := func(n int) tap.ID { return tap.ID{byte(n), byte(n >> 8), 1} }
	for n := range mostCards + 10 {
		s.remember(id(n), known{Seen: int64(n)})
	}
	s.remember(id(20), known{Seen: 5000})
	if _, old := s.Cards[id(9)]; old || len(s.Cards) != mostCards || s.Cards[id(10)] == nil || s.Cards[id(20)].Seen != 5000 {
		t.Errorf("%d cards are remembered", len(s.Cards))
	}
}

// The attack: a log that has the key of a card in it.
func TestACardsKeyDoesNotPrint(t *testing.T) {
	one := known{Handle: "a", Key: secret("0123456789abcdef")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		if text := fmt.Sprintf(verb, one); strings.Contains(text, "0123456789") || strings.Contains(text, "3031323334") || strings.Contains(text, "48 49 50") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
