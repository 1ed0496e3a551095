package history_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func dollars(t testing.TB) wallet.Currency { return currency(t, "USD") }

func currency(t testing.TB, code string) wallet.Currency {
	t.Helper()
	c, err := wallet.ParseCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// teller is a ledger whose history is to be moved, with a clock of its own.
type teller struct {
	testing.TB
	l     history.Ledger
	clock *ledgertest.Clock
}

func newTeller(t testing.TB) *teller {
	clock := ledgertest.NewClock(noon)
	return &teller{t, openAt(t, t.TempDir(), clock.Now), clock}
}

// ledger is the teller's ledger, to do something with.
func (s *teller) ledger() wallet.Ledger { return s.l.(wallet.Ledger) }

// id makes an operation id of now.
func (s *teller) id() wallet.OpID { return ledgertest.NewID(s, s.clock.Now) }

// done takes the answer of an operation that must take effect.
func (s *teller) done(r wallet.Receipt, err error) wallet.Receipt {
	s.Helper()
	if err != nil || r.Outcome != wallet.Applied {
		s.Fatalf("answered %v, %v", r.Outcome, err)
	}
	return r
}

// file is the teller's history.
func (s *teller) file() []byte {
	s.Helper()
	var file bytes.Buffer
	if _, err := history.Write(s.Context(), &file, s.l, dollars(s)); err != nil {
		s.Fatal(err)
	}
	return file.Bytes()
}

// target is an empty ledger to replay on, which stays open.
type target struct {
	wallet.Ledger
	opened bool
}

func (*target) Close() error { return nil }

// replay carries a file out on an embedded ledger that takes the time from the
// teller's clock afterwards.
func (s *teller) replay(file []byte) (*target, error) {
	s.Helper()
	to := new(target)
	_, err := history.Replay(s.Context(), bytes.NewReader(file), history.Target{
		Currency: dollars(s), Now: s.clock.Now,
		Open: func(clock func() time.Time) (wallet.Ledger, error) {
			to.Ledger, to.opened = openAt(s, s.TempDir(), clock), true
			return to, nil
		},
	})
	return to, err
}

// moved is the teller's history carried out again, with its money conserved.
func (s *teller) moved() wallet.Ledger {
	s.Helper()
	file := s.file()
	to, err := s.replay(file)
	if err != nil {
		s.Fatalf("%v; the file is\n%s", err, file)
	}
	ledgertest.AssertConserved(s, to)
	return to
}

// A visit's worth of everything: a wallet that was given money, has bought a
// bundle and read with it, has paid, was refunded and has money aside.
func (s *teller) live() (reader wallet.WalletID) {
	s.Helper()
	ctx, l := s.Context(), s.ledger()
	reader = ledgertest.NewWallet(s, l, s.clock.Now, 10*wallet.Unit)
	code := ledgertest.NewVoucher(s, l, s.clock.Now, 5*wallet.Unit)
	s.done(l.Redeem(ctx, wallet.Redeem{ID: s.id(), Wallet: reader, Code: code}))
	s.clock.Advance(time.Second)
	ahead := s.charge(reader, "news:/a", 3)
	s.done(l.Settle(ctx, wallet.Settlement{ID: s.id(), Wallet: reader, Resource: ahead.Resource, Charge: ahead.ID}))
	s.charge(reader, "news:/b", 2)
	s.done(l.Buy(ctx, wallet.Purchase{
		ID: s.id(), Wallet: reader, Generation: 1, Rule: "news", Price: wallet.Unit, Visits: 10, Validity: 24 * time.Hour,
	}))
	s.charge(reader, "news:/c", 2)
	s.done(l.Hold(ctx, wallet.Hold{ID: s.id(), Wallet: reader, Generation: 1, Amount: wallet.Unit, TTL: time.Minute}))
	return reader
}

// charge sells a page for an hour, paid ahead.
func (s *teller) charge(reader wallet.WalletID, resource string, price wallet.Amount) wallet.Charge {
	s.Helper()
	c := wallet.Charge{
		ID: s.id(), Wallet: reader, Generation: 1, Rule: "news", Resource: resource, Price: price, Window: time.Hour, Ahead: true,
	}
	s.done(s.ledger().Charge(s.Context(), c))
	return c
}

// told is a history that somebody has made up, well formed.
type told []history.Deed

func (h *told) History(_ context.Context, yield func(history.Deed) error) error {
	for _, d := range *h {
		if err := yield(d); err != nil {
			return err
		}
	}
	return nil
}

var audits uint64

// Verify finds the books of a ledger that is at work.
func (h *told) Verify(context.Context) (wallet.Audit, error) {
	audits++
	return wallet.Audit{Entries: audits}, nil
}

// deeds are what a ledger tells.
func (s *teller) deeds() (all told) {
	s.Helper()
	if err := s.l.History(s.Context(), func(d history.Deed) error { all = append(all, d); return nil }); err != nil {
		s.Fatal(err)
	}
	return all
}

// forged is the file of a made-up history, with the hash that it should have.
func (s *teller) forged(h told) []byte {
	s.Helper()
	return (&teller{s.TB, &h, s.clock}).file()
}
