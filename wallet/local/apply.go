package local

import (
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// resolve fills in what a record from the journal does not hold: its wallet, its
// rule, the index of the wallet that received, and the key of its resource.
func (s *state) resolve(r *record) error {
	if r.resource != "" {
		r.key = resourceKeyOf(r.resource)
	}
	if r.hasWallet() && r.kind != wallet.KindCreate {
		if r.walletAt >= s.purses.list.length {
			return fmt.Errorf("its wallet does not exist")
		}
		r.wallet = s.purses.list.at(r.walletAt).id
	}
	if r.has(flagBetween) {
		var found bool
		if r.otherAt, found = s.purses.index(r.other); !found {
			return fmt.Errorf("the wallet that receives does not exist")
		}
	}
	return s.passes.rules.complete(r)
}

// apply carries out a record that stands at a position of the journal. It is the
// only code that changes the books: an operation under way, a start and an
// audit all come through here. An error says that the record cannot follow
// those before it; the state is of no use then.
func (s *state) apply(r *record, at uint64) error {
	var err error
	switch {
	case r.kind == wallet.KindCreate:
		err = s.applyCreate(r)
	case r.kind == wallet.KindIssue:
		err = s.applyIssue(r)
	case r.kind == wallet.KindVoid:
		err = s.applyVoid(r)
	case r.kind == wallet.KindPut:
		err = s.register.apply(r)
	default:
		err = s.applyEntry(r, at)
	}
	if err != nil {
		return err
	}
	if r.hasWallet() {
		if err := s.link(r, at); err != nil {
			return err
		}
	}
	if !r.has(flagExpired) && r.kind != wallet.KindPut { // a register remembers its own
		s.ids.remember(r.id, r.kind, at)
	}
	s.records++
	return nil
}

// link makes the record the newest of its wallets' chains, and compares what it
// says came out with what did.
func (s *state) link(r *record, at uint64) error {
	w := s.purses.list.at(r.walletAt)
	if w.last != r.prev || w.available != r.balance || w.available < 0 || w.held < 0 {
		return fmt.Errorf("wallet %s does not come out at the balance it says", r.wallet)
	}
	w.last = at
	if r.has(flagBetween) {
		o := s.purses.list.at(r.otherAt)
		if o.last != r.otherPrev || o.available != r.otherBalance {
			return fmt.Errorf("wallet %s does not come out at the balance it says", r.other)
		}
		o.last = at
	}
	return nil
}

// applyEntry is apply for the records of a wallet that exists.
func (s *state) applyEntry(r *record, at uint64) error {
	w := s.purses.list.at(r.walletAt)
	w.available += r.change()
	switch r.kind {
	case wallet.KindCharge:
		s.accounts.earn(r.amount)
		s.grantCharge(r, at)
	case wallet.KindVisit:
		s.passes.set(w, r.walletAt, r.ruleAt, uint32(r.visits), s.passEnd(r))
		s.grantCharge(r, at)
	case wallet.KindBuy:
		s.accounts.earn(r.amount)
		s.passes.set(w, r.walletAt, r.ruleAt, uint32(r.visits), r.until)
	case wallet.KindRefund, wallet.KindDeliver:
		s.applySettle(r, w)
	case wallet.KindTransfer:
		s.applyTransfer(r)
	case wallet.KindHold:
		if s.holds.find(r.id) != nil {
			return fmt.Errorf("its hold exists already")
		}
		w.held += r.amount
		s.holds.add(hold{id: r.id, wallet: r.walletAt, amount: r.amount, until: r.until})
	case wallet.KindCapture, wallet.KindRelease:
		return s.applyResolve(r, w)
	case wallet.KindRekey:
		s.purses.setRecovery(r.walletAt, r.recovery)
		w.generation = r.generation
	case wallet.KindFreeze:
		w.frozen = r.has(flagFrozen)
	case wallet.KindRedeem:
		return s.applyRedeem(r)
	}
	return nil
}

func (s *state) applyCreate(r *record) error {
	if _, exists := s.purses.index(r.wallet); exists || s.purses.recoveryTaken(r.recovery, noWallet) {
		return fmt.Errorf("its wallet exists already")
	}
	r.walletAt = s.purses.list.length
	s.purses.add(purse{id: r.wallet, generation: r.generation, created: r.time, recovery: r.recovery})
	return nil
}

// passEnd is the end of the pass that a visit was taken from, which taking one
// does not change.
func (s *state) passEnd(r *record) int64 {
	if there := s.passes.of(r.walletAt, r.ruleAt); there != nil {
		return there.until
	}
	return 0
}

func (s *state) grantCharge(r *record, at uint64) {
	g := grant{until: r.until, paid: at}
	if r.has(flagAhead) {
		g.flags = grantAhead
	}
	s.grants.set(grantKey{r.walletAt, r.key}, g)
}

// applySettle ends a charge. The money does not depend on the grant, which may be
// another charge's by now, or forgotten.
func (s *state) applySettle(r *record, w *purse) {
	s.ids.settled.remember(r.ends, 0)
	key := grantKey{r.walletAt, r.key}
	if g, known := s.grants.at(key); known && !r.has(flagPast) {
		g.flags |= grantSettled
		if r.kind == wallet.KindRefund && !g.has(grantCaptured) {
			g.flags |= grantClosed
		}
		s.grants.set(key, g)
	}
	if r.kind == wallet.KindRefund {
		s.accounts.earn(-r.amount)
		if r.has(flagRestored) {
			s.passes.set(w, r.walletAt, r.ruleAt, uint32(r.visits), s.passEnd(r))
		}
	}
}

func (s *state) applyTransfer(r *record) {
	switch {
	case r.has(flagBetween):
		s.purses.list.at(r.otherAt).available += r.amount
	case r.has(flagIncoming):
		s.accounts.add(r.account, -r.amount)
	default:
		s.accounts.add(r.account, r.amount)
	}
}

// applyResolve ends a hold, by capture or release.
func (s *state) applyResolve(r *record, w *purse) error {
	h := s.holds.find(r.ends)
	if h == nil || h.resolved || h.wallet != r.walletAt || h.amount != r.held {
		return fmt.Errorf("there is no such hold to end")
	}
	h.resolved = true
	w.held -= r.held
	if r.kind == wallet.KindRelease {
		return nil
	}
	s.accounts.earn(r.amount)
	if r.resource != "" {
		key := grantKey{r.walletAt, r.key}
		g, known := s.grants.find(key, r.time)
		if !known || g.has(grantClosed) {
			g = grant{}
		}
		g.until = r.until
		g.flags |= grantCaptured
		s.grants.set(key, g)
	}
	return nil
}

func (s *state) applyIssue(r *record) error {
	if r.serial != s.vouchers.nextSerial() {
		return fmt.Errorf("its serial numbers do not follow")
	}
	for _, d := range r.digests {
		if s.vouchers.find(d) != nil {
			return fmt.Errorf("a voucher of its exists already")
		}
	}
	s.vouchers.issue(r)
	return nil
}

func (s *state) applyVoid(r *record) error {
	v := s.vouchers.bySerial(r.serial)
	if v == nil || v.state != wallet.VoucherIssued {
		return fmt.Errorf("there is no such voucher to void")
	}
	s.vouchers.void(v, r)
	return nil
}

func (s *state) applyRedeem(r *record) error {
	v := s.vouchers.bySerial(r.serial)
	if v == nil || v.state != wallet.VoucherIssued || v.value != r.amount {
		return fmt.Errorf("there is no such voucher to redeem")
	}
	s.accounts.add(wallet.FundingVoucher.Name, -r.amount)
	v.state, v.redeemed, v.wallet = wallet.VoucherRedeemed, r.time, r.walletAt
	return nil
}
