package history_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// same checks that two ledgers show the same of a wallet.
func (s *teller) same(to wallet.Ledger, id wallet.WalletID) {
	s.Helper()
	from := s.ledger()
	was, err := from.Wallet(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	is, err := to.Wallet(s.Context(), id)
	if err != nil || was.Available != is.Available || was.Held != is.Held || was.Generation != is.Generation || len(was.Passes) != len(is.Passes) {
		s.Errorf("invariant 7: the wallet was %+v and is %+v, %v", was, is, err)
	}
	entries, _, err := from.Entries(s.Context(), id, "", wallet.MaxPage)
	if err != nil {
		s.Fatal(err)
	}
	moved, _, err := to.Entries(s.Context(), id, "", wallet.MaxPage)
	if err != nil || len(moved) != len(entries) {
		s.Fatalf("invariant 7: %d entries were %d: %v", len(moved), len(entries), err)
	}
	for i := range entries {
		if moved[i] != entries[i] {
			s.Errorf("invariant 7: the entry\n%+v\nis\n%+v", entries[i], moved[i])
		}
	}
}

// A retry that begins before the move and ends after it is answered as if there
// had been no move (invariants 3 and 6).
func TestARetryAcrossAMoveIsOnePayment(t *testing.T) {
	s := newTeller(t)
	ctx, l := t.Context(), s.ledger()
	reader := ledgertest.NewWallet(t, l, s.clock.Now, 10*wallet.Unit)
	charge := s.charge(reader, "news:/a", 3)
	settle := wallet.Settlement{ID: s.id(), Wallet: reader, Resource: charge.Resource, Delivered: true}
	buy := wallet.Purchase{ID: s.id(), Wallet: reader, Generation: 1, Rule: "news", Price: 7, Visits: 2, Validity: time.Hour}
	hold := wallet.Hold{ID: s.id(), Wallet: reader, Generation: 1, Amount: 9, TTL: time.Minute}
	capture := wallet.Capture{ID: s.id(), Wallet: reader, Hold: hold.ID, Amount: 8, Rule: "news", Resource: "news:/b", Window: time.Hour}
	settled, bought := s.done(l.Settle(ctx, settle)), s.done(l.Buy(ctx, buy))
	held, captured := s.done(l.Hold(ctx, hold)), s.done(l.Capture(ctx, capture))
	s.clock.Advance(time.Minute)
	to := s.moved()
	for what, again := range map[string]struct {
		answer func() (wallet.Receipt, error)
		first  wallet.Receipt
	}{
		"settle":  {func() (wallet.Receipt, error) { return to.Settle(ctx, settle) }, settled},
		"buy":     {func() (wallet.Receipt, error) { return to.Buy(ctx, buy) }, bought},
		"hold":    {func() (wallet.Receipt, error) { return to.Hold(ctx, hold) }, held},
		"capture": {func() (wallet.Receipt, error) { return to.Capture(ctx, capture) }, captured},
	} {
		again.first.Outcome = wallet.Replayed
		if r, err := again.answer(); err != nil || r != again.first {
			t.Errorf("invariant 3: %s again: %+v, %v; want %+v", what, r, err, again.first)
		}
	}
	if r, err := to.Charge(ctx, charge); err != nil || r.Outcome != wallet.Replayed || r.Amount != 3 {
		t.Errorf("invariant 3: the charge again: %+v, %v", r, err)
	}
	s.same(to, reader)
	ledgertest.AssertConserved(t, to)
}

// What a visit would have cost is not in the journal: the retry of such a charge
// cannot be told from another one, and takes nothing (invariant 3).
func TestARetryOfAVisitAcrossAMoveTakesNothing(t *testing.T) {
	s := newTeller(t)
	reader := s.live()
	visit := s.charge(reader, "news:/visit", 2)
	to := s.moved()
	if r, err := to.Charge(t.Context(), visit); err != nil || r.Outcome != wallet.Conflict {
		t.Errorf("it answers %+v, %v; want conflict", r, err)
	}
	s.same(to, reader)
	ledgertest.AssertConserved(t, to)
}

// A page that was paid ahead and is opened hours later is settled without the
// charge's id, which is forgotten by then, on the way as at home (invariant 4).
func TestAChargeThatWasSettledHoursLaterIsMoved(t *testing.T) {
	s := newTeller(t)
	ctx, l := t.Context(), s.ledger()
	reader := ledgertest.NewWallet(t, l, s.clock.Now, wallet.Unit)
	for _, resource := range []string{"news:/kept", "news:/back"} {
		s.done(l.Charge(ctx, wallet.Charge{
			ID: s.id(), Wallet: reader, Generation: 1, Rule: "news", Resource: resource, Price: 5, Window: 24 * time.Hour, Ahead: true,
		}))
	}
	s.clock.Advance(5 * time.Hour)
	s.done(l.Settle(ctx, wallet.Settlement{ID: s.id(), Wallet: reader, Resource: "news:/kept", Delivered: true}))
	s.done(l.Settle(ctx, wallet.Settlement{ID: s.id(), Wallet: reader, Resource: "news:/back"}))
	s.same(s.moved(), reader)
	ledgertest.AssertConserved(t, l)
}

// A clock that was put back after a hold had ended: what came back was spent at a
// time at which it was still held (invariant 2).
func TestAHistoryOfAClockThatWasPutBackIsMoved(t *testing.T) {
	s := newTeller(t)
	ctx, l := t.Context(), s.ledger()
	reader := ledgertest.NewWallet(t, l, s.clock.Now, 10)
	s.done(l.Hold(ctx, wallet.Hold{ID: s.id(), Wallet: reader, Generation: 1, Amount: 10, TTL: time.Minute}))
	s.clock.Advance(2 * time.Minute)
	if w, err := l.Wallet(ctx, reader); err != nil || w.Available != 10 {
		t.Fatalf("the hold has not ended: %+v, %v", w, err)
	}
	s.clock.Advance(-90 * time.Second)
	s.charge(reader, "news:/a", 10)
	moments := 0
	for _, d := range s.deeds() {
		if _, is := d.Op.(history.Moment); is {
			moments++
		}
	}
	if moments != 1 {
		t.Errorf("the history has %d moments, want the one at which the hold ended", moments)
	}
	s.same(s.moved(), reader)
	ledgertest.AssertConserved(t, l)
}

// A path is bytes in any encoding, and another page after the move would be one
// that nobody has paid for (invariant 4).
func TestTextThatIsNotUTF8IsMovedAsItIs(t *testing.T) {
	s := newTeller(t)
	ctx, l := t.Context(), s.ledger()
	reader := ledgertest.NewWallet(t, l, s.clock.Now, wallet.Unit)
	resources := []string{
		"news:/caf\xe9", "news:/café", "news:/caf\ufffd", "news:/\x00\x01\x7f", "news:/\"\\<>&'\u2028", "{\"hex\":\"00\"}",
		strings.Repeat("\x01", wallet.MaxResource), strings.Repeat("\xff", wallet.MaxResource),
	}
	for _, resource := range resources {
		s.charge(reader, resource, 1)
	}
	note, account := "d\xe9jeuner", wallet.Account{Name: "tip\xff"}
	s.done(l.Transfer(ctx, wallet.Transfer{
		ID: s.id(), From: wallet.WalletAccount(reader), To: account, Generation: 1, Amount: 1, Note: note,
	}))
	to := s.moved()
	s.same(to, reader)
	for _, resource := range resources {
		standing, err := to.Standing(ctx, wallet.StandingQuery{Wallet: reader, Rule: "news", Resource: resource})
		if err != nil || standing.GrantedUntil.IsZero() {
			t.Errorf("invariant 4: %q is not paid for: %+v, %v", resource, standing, err)
		}
	}
	ledgertest.AssertConserved(t, to)
}

// The largest operation has room in a line (invariant 1).
func TestAsManyVouchersAsCanBeIssuedAtOnceAreMoved(t *testing.T) {
	s := newTeller(t)
	ctx, l := t.Context(), s.ledger()
	issue := wallet.IssueVouchers{
		ID: s.id(), Value: wallet.MaxAmount, Note: strings.Repeat("\x01", wallet.MaxNote), Expires: noon.AddDate(9000, 0, 0),
	}
	for range wallet.MaxVouchers {
		issue.Digests = append(issue.Digests, ledgertest.NewDigest(t))
	}
	s.done(l.IssueVouchers(ctx, issue))
	to := s.moved()
	last := issue.Digests[wallet.MaxVouchers-1]
	was, err := l.Voucher(ctx, last)
	if err != nil {
		t.Fatal(err)
	}
	if is, err := to.Voucher(ctx, last); err != nil || is != was || is.Serial != wallet.MaxVouchers {
		t.Errorf("the voucher was %+v and is %+v, %v", was, is, err)
	}
	ledgertest.AssertConserved(t, to)
}

// A paywall that nobody has paid yet moves too (invariant 1).
func TestAnEmptyHistoryIsMoved(t *testing.T) {
	s := newTeller(t)
	if audit, err := s.moved().Verify(t.Context()); err != nil || audit.Entries != 0 || audit.Wallets != 0 {
		t.Errorf("the books are %+v, %v", audit, err)
	}
	ledgertest.AssertConserved(t, s.ledger())
}

// A ledger may know an id only for its wallet, and a reader with two wallets may
// use one id for both: that must not keep the operator from moving (invariant 3).
func TestAnIDThatSeveralWalletsUsedIsMoved(t *testing.T) {
	s := newTeller(t)
	ctx, l := t.Context(), s.ledger()
	var readers []wallet.WalletID
	same := make(map[wallet.OpID]wallet.OpID) // an id of the second wallet, and that of the first
	var first []wallet.OpID
	for range 2 {
		reader := ledgertest.NewWallet(t, l, s.clock.Now, wallet.Unit)
		readers = append(readers, reader)
		paid, kept := s.charge(reader, "news:/a", 3), s.charge(reader, "news:/b", 4)
		hold := wallet.Hold{ID: s.id(), Wallet: reader, Generation: 1, Amount: 9, TTL: time.Minute}
		s.done(l.Hold(ctx, hold))
		capture := wallet.Capture{ID: s.id(), Wallet: reader, Hold: hold.ID, Amount: 8, Rule: "news"}
		s.done(l.Capture(ctx, capture))
		loose := hold
		loose.ID = s.id()
		s.done(l.Hold(ctx, loose))
		release := wallet.Release{ID: s.id(), Wallet: reader, Hold: loose.ID}
		s.done(l.Release(ctx, release))
		ending := loose
		ending.ID = s.id()
		s.done(l.Hold(ctx, ending))
		refund := wallet.Settlement{ID: s.id(), Wallet: reader, Resource: paid.Resource, Charge: paid.ID}
		s.done(l.Settle(ctx, refund))
		ids := []wallet.OpID{paid.ID, kept.ID, hold.ID, capture.ID, loose.ID, release.ID, ending.ID, refund.ID}
		for i, id := range first {
			same[ids[i]] = id
		}
		first = ids
	}
	h := s.deeds()
	for i := range h {
		h[i].Op = withSame(h[i].Op, same)
	}
	to, err := s.replay(s.forged(h))
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Hour)
	for _, reader := range readers {
		if w, err := to.Wallet(ctx, reader); err != nil || w.Available != wallet.Unit-12 || w.Held != 0 {
			t.Errorf("the wallet is %+v, %v", w, err)
		}
	}
	ledgertest.AssertConserved(t, to)
}

// withSame is an operation with other ids in it.
func withSame(op any, same map[wallet.OpID]wallet.OpID) any {
	changed := reflect.New(reflect.TypeOf(op)).Elem()
	changed.Set(reflect.ValueOf(op))
	for i := range changed.NumField() {
		if id, is := changed.Field(i).Addr().Interface().(*wallet.OpID); is {
			if other, there := same[*id]; there {
				*id = other
			}
		}
	}
	return changed.Interface()
}
