package tap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var coffee = wire.Product{Name: "coffee", Title: "A coffee", Price: "1.20"}

// crash is the panic of a kiosk that loses power.
type crash struct{}

// world is a paywall, a coffee machine, and a kiosk between them that can lose power at any
// step.
type world struct {
	*testing.T
	dir string

	// The paywall.
	verdict wire.Verdict
	asks    int // how often the card has to answer before
	silent  int // requests that are not answered, though they are carried out
	held    map[wallet.OpID]bool
	ended   map[string]string // by grant

	// The coffee machine.
	outcome actuator.Outcome
	opened  int

	steps, crashAt int // the step at which the kiosk loses power; zero: never
	desk           *Desk
}

func begin(t *testing.T) *world {
	w := &world{
		T: t, dir: t.TempDir(), verdict: wire.Verdict{Outcome: wire.Granted, Product: coffee},
		held: make(map[wallet.OpID]bool), ended: make(map[string]string), outcome: actuator.Done,
	}
	w.start()
	return w
}

// start is the kiosk's, also after a crash.
func (w *world) start() {
	w.Helper()
	j, err := journal.Open(filepath.Join(w.dir, "journal"))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { j.Close() })
	w.desk = &Desk{
		Kiosk: "lobby", Paywall: w, Actuator: actuator.Func(w.open), Patience: 200 * time.Millisecond, Opening: time.Second,
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	if err := w.desk.Start(j); err != nil {
		w.Fatal(err)
	}
}

// step is an instant at which power may be lost.
func (w *world) step() {
	if w.steps++; w.steps == w.crashAt {
		panic(crash{})
	}
}

func (w *world) answer() error {
	if w.silent > 0 {
		w.silent--
		return fmt.Errorf("%w: cut off", client.ErrUncertain)
	}
	return nil
}

func (w *world) Tap(_ context.Context, t wire.Tap) (wire.Verdict, error) {
	w.step()
	v := w.verdict
	v.ID = t.ID
	if answered := w.answered(t.Answer); answered < w.asks && t.Exchange {
		w.step()
		return wire.Verdict{ID: t.ID, Outcome: wire.Asked, Ask: &wire.Ask{State: strconv.Itoa(answered + 1), Command: wire.Hex{1}}}, w.answer()
	}
	if v.Outcome == wire.Granted {
		w.held[t.ID] = true
		v.Grant = "sealed " + t.ID.String()
	}
	w.step()
	return v, w.answer()
}

func (w *world) Capture(_ context.Context, grant string) (wire.Resolved, error) {
	return w.end(grant, "captured")
}
func (w *world) Release(_ context.Context, grant string) (wire.Resolved, error) {
	return w.end(grant, "released")
}

func (w *world) end(grant, how string) (wire.Resolved, error) {
	w.step()
	if was, ended := w.ended[grant]; ended && was != how {
		w.Errorf("a grant that was %s is %s", was, how)
	}
	w.ended[grant] = how
	w.step()
	return wire.Resolved{Outcome: how}, w.answer()
}

func (w *world) open(context.Context, actuator.Opening) (actuator.Outcome, error) {
	w.step()
	w.desk.mu.Lock()
	pending := w.desk.journal.Pending()
	w.desk.mu.Unlock()
	if len(pending) != 1 || pending[0].Step != journal.Granted || pending[0].Grant == "" {
		w.Errorf("it opens without a grant that is written down: %+v", pending)
	}
	if w.outcome == actuator.Done {
		w.opened++
	}
	w.step()
	if w.outcome != actuator.Done {
		return w.outcome, errors.New("jammed")
	}
	return w.outcome, nil
}

// answered is how often the card has answered, by the state that the paywall has sealed.
func (w *world) answered(a *wire.Answer) int {
	if a == nil || w.asks == 0 {
		return 0
	}
	n, err := strconv.Atoi(a.State)
	if err != nil || len(a.Card) != 1 {
		w.Errorf("it is answered %q, %v", a.State, err)
	}
	return n
}

func (w *world) tap() Result {
	p := Presented{}
	if w.asks > 0 {
		p.Exchange = func(command []byte) ([]byte, error) {
			w.step()
			return command, nil
		}
	}
	return w.desk.Tap(context.Background(), p, coffee, false)
}

func (w *world) settle() {
	w.Helper()
	if left, err := w.desk.Settle(w.Context()); left != 0 || err != nil {
		w.Errorf("%d are left, %v", left, err)
	}
	if pending := w.desk.journal.Pending(); len(pending) > 0 {
		w.Errorf("the journal still has %+v", pending)
	}
}

func (w *world) captured() (n int) {
	for _, how := range w.ended {
		if how == "captured" {
			n++
		}
	}
	return n
}

func TestATapIsPaidOpenedAndSettled(t *testing.T) {
	w := begin(t)
	if r := w.tap(); r != (Result{Kind: Paid, Product: coffee}) {
		t.Errorf("it is %+v", r)
	}
	w.settle()
	if w.opened != 1 || w.captured() != 1 {
		t.Errorf("opened %d, captured %d", w.opened, w.captured())
	}
}

// The attack: none; the machine is jammed after the payment. The money goes back.
func TestWhatDoesNotOpenIsNotPaidFor(t *testing.T) {
	for outcome, captures := range map[actuator.Outcome][2]int{actuator.Refused: {0, 0}, actuator.Unknown: {0, 1}} {
		for i, takes := range []bool{false, true} {
			w := begin(t)
			w.outcome, w.desk.CaptureUnknown = outcome, takes
			want := NotOpened
			if captures[i] == 1 {
				want = Paid
			}
			if r := w.tap(); r.Kind != want {
				t.Errorf("%v, and unknown is captured %v: it is %+v", outcome, takes, r)
			}
			w.settle()
			if w.captured() != captures[i] || len(w.ended) != 1 {
				t.Errorf("%v, and unknown is captured %v: ended %v", outcome, takes, w.ended)
			}
		}
	}
}

func TestARefusalOpensNothing(t *testing.T) {
	for _, c := range []struct {
		verdict wire.Verdict
		want    Result
	}{
		{wire.Verdict{Outcome: wire.Refused, Reason: wire.NoMoney, Product: coffee}, Result{Kind: Refused, Reason: wire.NoMoney, Product: coffee}},
		{wire.Verdict{Outcome: wire.Unknown, Claim: "sealed", Product: coffee}, Result{Kind: Unclaimed, Claim: "sealed", Product: coffee}},
	} {
		w := begin(t)
		w.verdict = c.verdict
		if r := w.tap(); r != c.want {
			t.Errorf("it is %+v, want %+v", r, c.want)
		}
		w.settle()
		if w.opened > 0 || len(w.ended) > 0 {
			t.Errorf("opened %d, ended %v", w.opened, w.ended)
		}
	}
}

// A verdict that was lost is asked for again, by the same tap (invariants 3, 6); one that
// never comes opens nothing.
func TestSilenceIsAskedAgain(t *testing.T) {
	w := begin(t)
	patience := w.desk.Patience
	w.silent, w.desk.Patience = 2, 10*time.Second // on a busy machine
	if r := w.tap(); r.Kind != Paid || len(w.held) != 1 {
		t.Errorf("it is %+v, with %d taps", r, len(w.held))
	}
	w.silent = 1
	if left, err := w.desk.Settle(t.Context()); left != 1 || !errors.Is(err, client.ErrUncertain) {
		t.Errorf("settling in silence: %d, %v", left, err)
	}
	w.settle()
	w.silent, w.desk.Patience = 1000, patience
	if r := w.tap(); r.Kind != Offline {
		t.Errorf("it is %+v", r)
	}
	if w.opened != 1 || w.captured() != 1 {
		t.Errorf("opened %d, captured %d", w.opened, w.captured())
	}
}

// A tap that was given up, and that the paywall has granted, is taken back when it answers:
// whoever taps again must not hear that they have just paid.
func TestATapThatWasGivenUpIsTakenBack(t *testing.T) {
	w := begin(t)
	w.silent = 1000
	if r := w.tap(); r.Kind != Offline || len(w.held) != 1 {
		t.Fatalf("it is %+v, with %d taps", r, len(w.held))
	}
	w.silent = 1 // of the answer to the release
	if _, err := w.desk.Settle(t.Context()); !errors.Is(err, client.ErrUncertain) {
		t.Errorf("settling in silence: %v", err)
	}
	w.settle()
	w.settle()
	if len(w.held) != 1 || len(w.ended) != 1 || w.captured() > 0 || w.opened > 0 {
		t.Errorf("%d taps, ended %v, opened %d", len(w.held), w.ended, w.opened)
	}
	w.verdict = wire.Verdict{Outcome: wire.Refused, Reason: wire.NoMoney, Product: coffee}
	w.silent = 1000
	for range mostDoubts + 1 {
		w.desk.Patience = time.Millisecond
		w.tap()
	}
	if w.silent = 0; len(w.desk.doubts) != mostDoubts {
		t.Errorf("%d taps are remembered", len(w.desk.doubts))
	}
	w.settle()
	if len(w.desk.doubts) > 0 || len(w.ended) != 1 {
		t.Errorf("%d are still in doubt, ended %v", len(w.desk.doubts), w.ended)
	}
}

// The kiosk loses power at every step of a tap and of its settlement, and the paywall's
// answers get lost besides: nobody pays without the machine having opened but where nobody
// can know it, nothing opens without a durable grant, and nothing is ended twice.
func TestPowerMayBeLostAtAnyStep(t *testing.T) {
	for _, c := range []struct{ silent, asks int }{{0, 0}, {1, 0}, {3, 0}, {0, 2}, {2, 2}} {
		for at := 1; ; at++ {
			w := begin(t)
			w.crashAt, w.silent, w.asks = at, c.silent, c.asks
			crashed := w.until(func() {
				w.tap()
				_, _ = w.desk.Settle(context.Background())
			})
			w.crashAt, w.silent = 0, 0
			w.start()
			w.settle()
			if w.captured() > w.opened {
				t.Errorf("crash at %d: captured %d, opened %d: somebody paid for nothing", at, w.captured(), w.opened)
			}
			if len(w.held) > 1 {
				t.Errorf("crash at %d: one tap has become %d", at, len(w.held))
			}
			if !crashed {
				if at < 7+3*c.asks {
					t.Errorf("a tap has %d steps: too few to prove anything", at)
				}
				break
			}
			if r := w.tap(); r.Kind != Paid { // and it goes on
				t.Errorf("crash at %d: the next tap is %+v", at, r)
			}
			w.settle()
		}
	}
}

// until runs a part of the kiosk's life, and reports whether it has lost power.
func (w *world) until(life func()) (crashed bool) {
	defer func() {
		switch lost := recover(); lost.(type) {
		case nil:
		case crash:
			crashed = true
		default:
			panic(lost)
		}
	}()
	life()
	return false
}

func TestAKioskThatCannotWriteOpensNothing(t *testing.T) {
	w := begin(t)
	if err := w.desk.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if r := w.tap(); r.Kind != OutOfOrder || len(w.held) > 0 || w.opened > 0 {
		t.Errorf("it is %+v; held %d, opened %d", r, len(w.held), w.opened)
	}
}

// A kiosk that the paywall does not know any more says so, and keeps what it owes.
func TestADisabledKioskKeepsWhatItOwes(t *testing.T) {
	w := begin(t)
	w.tap()
	w.desk.Paywall = stranger{}
	if left, err := w.desk.Settle(t.Context()); left != 1 || err == nil {
		t.Errorf("%d are left, %v", left, err)
	}
	if r := w.tap(); r.Kind != OutOfOrder {
		t.Errorf("it is %+v", r)
	}
	w.desk.Paywall = w
	w.settle()
	if w.captured() != 1 {
		t.Error("what was opened is not paid for")
	}
}

// stranger is a paywall that has disabled the kiosk.
type stranger struct{}

var errDisabled = client.RefusalError{Status: http.StatusForbidden, Detail: "disabled"}

func (stranger) Tap(context.Context, wire.Tap) (wire.Verdict, error) {
	return wire.Verdict{}, errDisabled
}

func (stranger) Capture(context.Context, string) (wire.Resolved, error) {
	return wire.Resolved{}, errDisabled
}

func (stranger) Release(context.Context, string) (wire.Resolved, error) {
	return wire.Resolved{}, errDisabled
}
