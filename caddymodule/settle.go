package caddymodule

import (
	"net/http"
	"strconv"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The settlements: what each kind of sale does at the commit point. Each
// returns nil to let the answer leave, or what is sent instead.

// settleCharge charges for what is about to be delivered. A client that has
// gone, and an answer that is not what was asked for, cost nothing.
func (s *sale) settleCharge(status int, header http.Header) func(http.ResponseWriter) {
	if deliveryOf(status) != delivered {
		s.became(outcomeUnpaid)
		return nil
	}
	if s.r.Context().Err() != nil {
		return func(http.ResponseWriter) {}
	}
	return s.take(header)
}

// take charges.
func (s *sale) take(header http.Header) func(http.ResponseWriter) {
	receipt, err := s.ledger.Charge(s.settling(), wallet.Charge{
		ID: s.charge, Wallet: s.wallet, Generation: s.cred.Generation,
		Rule: s.rule.Name, Resource: s.resource, Price: s.affordable(), Window: s.rule.Window,
	})
	return s.conclude(receipt, err, header)
}

// affordable is the price that the credential agrees to: none where only a
// visit was agreed to, or the token's limit is below it.
func (s *sale) affordable() wallet.Amount {
	if !s.cred.bearer || s.cred.MaxPrice > 0 && s.rule.Price > s.cred.MaxPrice {
		return 0
	}
	return s.rule.Price
}

// settleHold captures what was set aside, or leaves it for letGo to release.
func (s *sale) settleHold(status int, header http.Header) func(http.ResponseWriter) {
	if deliveryOf(status) != delivered {
		s.app.undone(s.wallet)
		s.became(outcomeUnpaid)
		return nil
	}
	receipt, err := s.ledger.Capture(s.settling(), wallet.Capture{
		ID: s.charge, Wallet: s.wallet, Hold: s.hold, Amount: s.rule.Price,
		Rule: s.rule.Name, Resource: s.resource, Window: s.rule.Window,
	})
	if err != nil {
		return s.conclude(receipt, err, header)
	}
	s.hold = wallet.OpID{}
	if receipt.Outcome == wallet.Spent || receipt.Outcome == wallet.NotFound {
		return s.take(header) // the upstream took longer than the hold lasts, and the price is back in the wallet
	}
	return s.conclude(receipt, nil, header)
}

// conclude says on the answer what was paid, or what to answer instead.
func (s *sale) conclude(receipt wallet.Receipt, err error, header http.Header) func(http.ResponseWriter) {
	switch {
	case err != nil:
		s.app.complain("charging at the commit point", err)
		return func(w http.ResponseWriter) {
			s.replyProblem(w, errUncertain)
		}
	case receipt.Outcome.Done():
		s.paid = true
		s.stamp(header, receipt)
		s.became(paidOutcome(receipt))
		return nil
	case receipt.Outcome == wallet.Granted:
		s.became(outcomeGranted)
		return nil
	}
	// Since it was asked, somebody else has spent the money, or the wallet has
	// been frozen or its credential revoked.
	return func(w http.ResponseWriter) { s.lost(w, receipt) }
}

func paidOutcome(r wallet.Receipt) outcome {
	if r.Visit {
		return outcomeVisit
	}
	return outcomePaid
}

// lost answers a sale that was decided on and then could not be charged.
func (s *sale) lost(w http.ResponseWriter, receipt wallet.Receipt) {
	if receipt.Outcome == wallet.Insufficient {
		s.standing.Available, s.standing.Visits = receipt.Balance, receipt.Visits
	}
	s.replyProblem(w, refusalOf(receipt.Outcome))
}

// settleReceipt lets through what is read with a receipt.
func (s *sale) settleReceipt(int, http.Header) func(http.ResponseWriter) {
	s.became(outcomeGranted)
	return nil
}

// settleRead lets through what is paid for. If it was paid ahead, by the
// button, this is where it turns out whether the page exists; if not, the money
// goes back.
func (s *sale) settleRead(status int, header http.Header) func(http.ResponseWriter) {
	got := deliveryOf(status)
	if s.r.Method == http.MethodHead {
		got = undetermined // nothing of the page leaves
	}
	if s.standing.Ahead && got != undetermined && s.settleAhead(got == delivered, header) {
		s.became(outcomeRefunded)
		return nil
	}
	if got == delivered && !s.cred.bearer {
		s.giveReceipt(header)
	}
	s.became(outcomeGranted)
	return nil
}

// settleAhead ends a charge that was made ahead, and reports whether the money
// went back. Where the ledger cannot answer the page leaves all the same: it is
// paid for, and the next reading settles it.
func (s *sale) settleAhead(delivered bool, header http.Header) (refunded bool) {
	receipt, err := s.ledger.Settle(s.settling(), wallet.Settlement{
		ID: s.app.newID(), Wallet: s.wallet, Resource: s.resource, Delivered: delivered,
	})
	if err != nil {
		s.app.complain("settling a page paid ahead", err)
		return false
	}
	if delivered || receipt.Outcome != wallet.Applied {
		return false
	}
	s.app.undone(s.wallet)
	header.Set("Paywall-Refunded", s.app.currency.Price(receipt.Amount))
	header.Set("Paywall-Balance", s.app.currency.Price(receipt.Balance))
	return true
}

// refund gives back what was charged for an answer that the upstream has broken
// off. The header has left, so that only the wallet shows it.
func (s *sale) refund() {
	receipt, err := s.ledger.Settle(s.settling(), wallet.Settlement{
		ID: s.app.newID(), Wallet: s.wallet, Resource: s.resource, Charge: s.charge,
	})
	if err != nil {
		s.app.complain("refunding an answer that broke off", err)
	} else if receipt.Outcome.Done() {
		s.became(outcomeRefunded)
	}
}

// setAside holds the price before the upstream acts.
func (s *sale) setAside() error {
	if err := s.app.mayUndo(s.r, s.wallet); err != nil {
		return err
	}
	id := s.app.newID()
	receipt, err := s.ledger.Hold(s.settling(), wallet.Hold{
		ID: id, Wallet: s.wallet, Generation: s.cred.Generation, Amount: s.rule.Price, TTL: holdTTL,
	})
	if err != nil {
		return s.app.down("holding the price", err)
	}
	if !receipt.Outcome.Done() {
		s.standing.Available = receipt.Balance
		return refusalOf(receipt.Outcome)
	}
	s.hold = id
	return nil
}

// letGo releases what was set aside and not captured. If that fails the hold
// ends by itself.
func (s *sale) letGo() {
	if s.hold == (wallet.OpID{}) {
		return
	}
	_, err := s.ledger.Release(s.settling(), wallet.Release{ID: s.app.newID(), Wallet: s.wallet, Hold: s.hold})
	if err != nil {
		s.app.complain("releasing a hold", err)
	}
}

// stamp counts the charge and says on the answer what it was.
func (s *sale) stamp(header http.Header, receipt wallet.Receipt) {
	s.app.stamp(header, receipt)
	if !receipt.Visit {
		s.count.charged.Add(units(receipt.Amount))
	}
}

// stamp says on an answer what was charged and what is left.
func (a *App) stamp(header http.Header, receipt wallet.Receipt) {
	if receipt.Visit {
		header["Paywall-Visits"] = []string{strconv.Itoa(receipt.Visits)}
	} else {
		header["Paywall-Charged"] = []string{a.currency.Price(receipt.Amount)}
	}
	header["Paywall-Balance"] = []string{a.currency.Price(receipt.Balance)}
}
