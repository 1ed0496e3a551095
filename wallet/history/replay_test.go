package history_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// A file into a ledger with money in it would mix two sets of books, and one that
// is imported twice would give all the money twice (invariants 1 and 3).
func TestALedgerThatIsNotEmptyIsLeftAsItIs(t *testing.T) {
	s := newTeller(t)
	s.live()
	file := s.file()
	for what, begin := range map[string]func(l wallet.Ledger){
		"a wallet":    func(l wallet.Ledger) { ledgertest.NewWallet(t, l, s.clock.Now, 0) },
		"a voucher":   func(l wallet.Ledger) { ledgertest.NewVoucher(t, l, s.clock.Now, 1) },
		"the history": func(l wallet.Ledger) { s.again(l, file) },
	} {
		for engine, open := range map[string]ledgertest.Engine{"embedded": embedded, "model": reference} {
			l := open.Open(t, s.clock.Now)
			begin(l)
			before, err := l.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = s.tryAgain(l, file)
			if after, _ := l.Verify(t.Context()); !errors.Is(err, history.ErrNotEmpty) || fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("%s with %s in it: %v; the books were %+v and are %+v", engine, what, err, before, after)
			}
			ledgertest.AssertConserved(t, l)
		}
	}
}

// tryAgain replays a file on a ledger that is open.
func (s *teller) tryAgain(l wallet.Ledger, file []byte) error {
	_, err := history.Replay(s.Context(), bytes.NewReader(file), history.Target{
		Currency: dollars(s), Now: s.clock.Now,
		Open: func(func() time.Time) (wallet.Ledger, error) { return &target{Ledger: l}, nil },
	})
	return err
}

// again replays a file on an empty ledger whose own clock has not moved since.
func (s *teller) again(l wallet.Ledger, file []byte) {
	s.Helper()
	if err := s.tryAgain(l, file); err != nil {
		s.Fatal(err)
	}
}

// Ten yen are not ten dollars (invariant 1).
func TestAFileOfAnotherCurrencyIsRefused(t *testing.T) {
	s := newTeller(t)
	s.live()
	var yen bytes.Buffer
	if _, err := history.Write(t.Context(), &yen, s.l, currency(t, "JPY")); err != nil {
		t.Fatal(err)
	}
	s.refused("yen into dollars", yen.Bytes(), history.ErrCurrency)
	ledgertest.AssertConserved(t, s.ledger())
}

// Who writes a file with the right hash can still not make money that no account
// has given, nor spend what is not there: the ledger judges each deed (invariants
// 1 to 4 and 8).
func TestAForgedHistoryBringsNoMoney(t *testing.T) {
	s := newTeller(t)
	reader := s.live()
	honest := s.deeds()
	forgeries := map[string]func(h told) told{
		"a refund of more than was paid": func(h told) told { return change(h, func(s wallet.Settlement, d *history.Deed) { d.Amount++ }) },
		"a balance that does not follow": func(h told) told { return change(h, func(c wallet.Charge, d *history.Deed) { d.Balance++ }) },
		"a voucher worth more":           func(h told) told { return change(h, func(r wallet.Redeem, d *history.Deed) { d.Amount++ }) },
		"a voucher that was not issued": func(h told) told {
			return change(h, func(r wallet.Redeem, d *history.Deed) { r.Code[0]++; d.Op = r })
		},
		"a charge without a wallet": func(h told) told {
			return change(h, func(c wallet.Charge, d *history.Deed) { c.Wallet[0]++; d.Op = c })
		},
		"a revoked credential": func(h told) told {
			return change(h, func(c wallet.Charge, d *history.Deed) { c.Generation++; d.Op = c })
		},
		"a negative price": func(h told) told {
			return change(h, func(p wallet.Purchase, d *history.Deed) { p.Price = -1; d.Op = p })
		},
		"a charge twice": func(h told) told { return append(h, h[len(h)-1]) },
		"an overdraft": func(h told) told {
			return append(h, history.Deed{Time: s.clock.Now(), Amount: wallet.MaxAmount, Balance: 1, Op: wallet.Transfer{
				ID: s.id(), From: wallet.WalletAccount(reader), To: wallet.FundingOperator, Generation: 1, Amount: wallet.MaxAmount,
			}})
		},
		"an old id": func(h told) told {
			late := h[len(h)-1]
			late.Time = late.Time.Add(2 * wallet.ChargeMemory)
			return append(h[:len(h)-1], late)
		},
		"an order that cannot be": func(h told) told { h[0], h[1] = h[1], h[0]; return h },
	}
	for what, forge := range forgeries {
		to, err := s.replay(s.forged(forge(append(told{}, honest...))))
		if !errors.Is(err, history.ErrDiffers) && !errors.Is(err, wallet.ErrInvalid) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v", what, err)
		}
		ledgertest.AssertConserved(t, to)
	}
	if to, err := s.replay(s.forged(honest)); err != nil {
		t.Errorf("the honest history is refused: %v", err)
	} else {
		ledgertest.AssertConserved(t, to)
	}
}

// change changes the first deed of an operation.
func change[Op any](h told, by func(Op, *history.Deed)) told {
	for i := range h {
		if op, is := h[i].Op.(Op); is {
			by(op, &h[i])
			return h
		}
	}
	return nil
}

// An export while readers pay has everything up to an instant and nothing of what
// follows, so that its money adds up (invariants 1 and 7).
func TestAnExportBesideRunningChargesIsOneInstantOfThem(t *testing.T) {
	s := newTeller(t)
	l := s.ledger()
	reader := ledgertest.NewWallet(t, l, s.clock.Now, 1000*wallet.Unit)
	stop := make(chan struct{})
	var charging sync.WaitGroup
	for hand := range 4 {
		charging.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					s.charge(reader, fmt.Sprint("news:/", hand, "/", i), 5)
				}
			}
		})
	}
	var files [][]byte
	for range 5 {
		files = append(files, s.file())
	}
	close(stop)
	charging.Wait()
	for _, file := range files {
		to, err := s.replay(file)
		if err != nil {
			t.Fatal(err)
		}
		ledgertest.AssertConserved(t, to)
	}
	ledgertest.AssertConserved(t, l)
}

// A replay that was stopped leaves a part, and says that it must go.
func TestAReplayThatIsStoppedSaysThatAPartIsThere(t *testing.T) {
	s := newTeller(t)
	s.live()
	file := s.file()
	l := &stopping{Ledger: ledgertest.NewModel(s.clock.Now)}
	if err := s.tryAgain(l, file); !errors.Is(err, wallet.ErrUnavailable) || !strings.Contains(err.Error(), "must be removed") {
		t.Errorf("it says %v", err)
	}
	if err := s.tryAgain(l.Ledger, file); !errors.Is(err, history.ErrNotEmpty) {
		t.Errorf("the next attempt says %v", err)
	}
	ledgertest.AssertConserved(t, l)
}

// stopping is a ledger that fails at the first bundle.
type stopping struct{ wallet.Ledger }

func (*stopping) Buy(context.Context, wallet.Purchase) (wallet.Receipt, error) {
	return wallet.Receipt{}, wallet.ErrUnavailable
}

// A target that cannot make it durable has not been imported into (invariant 5).
func TestAReplayOnALedgerThatDoesNotCloseHasFailed(t *testing.T) {
	s := newTeller(t)
	s.live()
	lost := errors.New("the disk is gone")
	_, err := history.Replay(t.Context(), bytes.NewReader(s.file()), history.Target{
		Currency: dollars(t), Now: s.clock.Now,
		Open: func(clock func() time.Time) (wallet.Ledger, error) {
			return unclosable{ledgertest.NewModel(clock), lost}, nil
		},
	})
	if !errors.Is(err, lost) {
		t.Errorf("it says %v", err)
	}
	ledgertest.AssertConserved(t, s.ledger())
}

type unclosable struct {
	wallet.Ledger
	err error
}

func (u unclosable) Close() error { return u.err }
