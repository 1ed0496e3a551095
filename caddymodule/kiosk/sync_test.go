package kiosk

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The attack: somebody who has the kiosk's disk alters a record, leaves one out, puts another
// kiosk's in, or has it go on from a copy of before.
func TestAForgedChainIsNotSettled(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(50 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	copied := *m
	m.grants(l.Handle, l.ID, "1.00")
	m.syncs(wire.Settled)
	for range 3 {
		m.grants(l.Handle, wallet.OpID{}, "1.00")
	}
	first, second, third := m.unsent[1], m.unsent[2], m.unsent[3]
	altered := second
	altered.Text = []byte(strings.Replace(string(second.Text), "1.00", "0.00", 1))
	copied.grants(l.Handle, l.ID, "1.00")
	fork := copied.unsent[0]
	other := &cutoff{machine: s.enrol("other")}
	other.grants(l.Handle, wallet.OpID{}, "1.00")
	for name, records := range map[string][]wire.Signed{
		"altered": {first, altered, third}, "one left out": {first, third}, "the first left out": {second, third},
		"another kiosk's": {other.unsent[0]}, "of a copy": {fork}, "put in": {first, fork, second},
	} {
		before := h.wallet()
		if _, err := m.Sync(t.Context(), m.kiosk(), wire.Sync{Records: records}); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
		if after := h.wallet(); after.Available != before.Available {
			t.Errorf("%s: money has moved", name)
		}
	}
	if flags := s.flags(m.kiosk()); !strings.Contains(flags, "altered") || !strings.Contains(flags, "missing") || !strings.Contains(flags, "a copy") {
		t.Errorf("the operator hears of %s", flags)
	}
	if _, err := m.Sync(t.Context(), m.kiosk(), wire.Sync{Records: make([]wire.Signed, wire.MaxRecords+1)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("too many: %v", err)
	}
	m.syncs(wire.Settled, wire.Settled, wire.Settled, wire.Lost)
}

// broken is a ledger whose nth change fails, before it has taken effect or after.
type broken struct {
	wallet.Ledger
	at    int64
	after bool
	n     atomic.Int64
}

func (b *broken) do(change func() (wallet.Receipt, error)) (wallet.Receipt, error) {
	fails := b.n.Add(1) == b.at
	if fails && !b.after {
		return wallet.Receipt{}, wallet.ErrUnavailable
	}
	r, err := change()
	if fails {
		return wallet.Receipt{}, wallet.ErrUnavailable
	}
	return r, err
}

func (b *broken) Put(ctx context.Context, p wallet.Put) (wallet.Receipt, error) {
	return b.do(func() (wallet.Receipt, error) { return b.Ledger.Put(ctx, p) })
}

func (b *broken) Charge(ctx context.Context, c wallet.Charge) (wallet.Receipt, error) {
	return b.do(func() (wallet.Receipt, error) { return b.Ledger.Charge(ctx, c) })
}

func (b *broken) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	return b.do(func() (wallet.Receipt, error) { return b.Ledger.Hold(ctx, h) })
}

func (b *broken) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	return b.do(func() (wallet.Receipt, error) { return b.Ledger.Capture(ctx, c) })
}

func (b *broken) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	return b.do(func() (wallet.Receipt, error) { return b.Ledger.Release(ctx, r) })
}

// The paywall loses power at every step of admitting a card and of settling its taps, the
// ledger's answer is lost besides, and an hour goes by before it is tried again: each tap is
// paid once, or owed once.
func TestThePaywallMayLosePowerAtAnyStep(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := int64(1); ; at++ {
			s, m := offlineShop(t)
			h := s.holder(7 * wallet.Unit)
			n := h.signing(m, 1)
			v := m.wants(m.tap("gate", message(n)), wire.Granted, "")
			m.resolve(wire.ReleasePath, v, Released)
			whole := s.Ledger
			line := &broken{Ledger: whole, at: at, after: after}
			s.Ledger = line
			l, err := m.Lease(t.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket})
			if err != nil {
				if l, err = m.Lease(t.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket}); err != nil {
					t.Fatalf("step %d: %v", at, err)
				}
			}
			for _, on := range []wallet.OpID{l.ID, l.ID, {}, {}, l.ID} { // the last comes when the lease is over
				m.grants(l.Handle, on, "1.00")
			}
			all := m.unsent
			m.unsent = all[:4]
			if _, err := m.Sync(t.Context(), m.kiosk(), wire.Sync{Records: m.unsent}); err != nil {
				s.clock.Advance(2 * time.Hour)
			}
			m.unsent = all
			got, err := m.Sync(t.Context(), m.kiosk(), wire.Sync{Records: all})
			if err != nil {
				s.clock.Advance(2 * time.Hour)
				if got, err = m.Sync(t.Context(), m.kiosk(), wire.Sync{Records: all}); err != nil {
					t.Fatalf("step %d: %v", at, err)
				}
			}
			s.Ledger = whole
			owed, err := s.Debts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			paid := 7*wallet.Unit - h.wallet().Available
			for _, d := range owed {
				paid += d.Amount
			}
			if paid != 5*wallet.Unit || h.wallet().Held != 0 {
				t.Fatalf("step %d, after %v: %v is paid or owed, want 5.00; held %v; %v", at, after, paid, h.wallet().Held, got.Outcomes)
			}
			if line.n.Load() < at {
				if at < 20 {
					t.Errorf("there are %d steps: too few to prove anything", at)
				}
				break
			}
		}
	}
}

// The attack: the same records are handed over by many at once.
func TestSyncsAtOnceSettleOnce(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(10 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				if _, err := m.Sync(context.Background(), m.kiosk(), wire.Sync{Records: m.unsent}); err == nil {
					return
				}
			}
		})
	}
	all.Wait()
	m.syncs(wire.Settled, wire.Settled, wire.Settled)
	h.has(7*wallet.Unit, 0)
}

// overtaker is a ledger in which somebody else gets something done before the nth call.
type overtaker struct {
	*broken
	meanwhile func()
}

func (l *overtaker) step() {
	if l.n.Add(1) == l.at {
		l.meanwhile()
	}
}

func (l *overtaker) Register(ctx context.Context, name string) (wallet.Register, error) {
	l.step()
	return l.Ledger.Register(ctx, name)
}

func (l *overtaker) Put(ctx context.Context, p wallet.Put) (wallet.Receipt, error) {
	l.step()
	return l.Ledger.Put(ctx, p)
}

func (l *overtaker) Charge(ctx context.Context, c wallet.Charge) (wallet.Receipt, error) {
	l.step()
	return l.Ledger.Charge(ctx, c)
}

func (l *overtaker) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	l.step()
	return l.Ledger.Capture(ctx, c)
}

func (l *overtaker) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	l.step()
	return l.Ledger.Release(ctx, r)
}

// The attack: records are handed over twice, or a lease is asked for besides, and the first
// request waits between two steps, whichever, until the other is all done: what the one has
// counted is not the other's, and each tap is paid once.
func TestASyncThatIsOvertakenAtAnyStepSettlesNothingAgain(t *testing.T) {
	for _, leases := range []bool{false, true} {
		for at := int64(1); ; at++ {
			s, m := offlineShop(t)
			h := s.holder(20 * wallet.Unit)
			n := h.signing(m, 1)
			l := m.admits(message(n))
			for _, on := range []wallet.OpID{l.ID, l.ID, {}} {
				m.grants(l.Handle, on, "1.00")
			}
			s.clock.Advance(time.Minute)
			v := m.wants(m.tap("gate", message(n)), wire.Granted, "")
			m.resolve(wire.ReleasePath, v, Released)
			whole := s.Ledger
			line := &overtaker{broken: &broken{Ledger: whole, at: at}}
			line.meanwhile = func() {
				s.Ledger = whole
				if leases {
					if _, err := m.Lease(t.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket}); err != nil {
						t.Errorf("step %d: %v", at, err)
					}
				} else {
					m.syncs(wire.Settled, wire.Settled, wire.Settled)
				}
				s.Ledger = line
			}
			s.Ledger = line
			m.syncs(wire.Settled, wire.Settled, wire.Settled)
			s.Ledger = whole
			cards, err := s.Cards(t.Context(), h.id)
			if w := h.wallet(); err != nil || w.Available+w.Held != 17*wallet.Unit || cards[0].Spent != 3*wallet.Unit || w.Held > 5*wallet.Unit {
				t.Fatalf("step %d, leases %v: %v is left, %v held, today %v, %v", at, leases, w.Available, w.Held, cards[0].Spent, err)
			}
			if line.n.Load() < at {
				if at < 20 {
					t.Errorf("there are %d steps: too few to prove anything", at)
				}
				break
			}
		}
	}
}
