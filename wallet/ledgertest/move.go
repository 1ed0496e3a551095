package ledgertest

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// Move is Property with a move in the middle: what the engine from was asked to
// do is carried out again on the engine to, by way of a file. The model, which
// lived through all of it, must then see no difference, and must not see one in
// what the new engine answers from then on. A ledger of from is a
// [history.Source]. Where only one of the two knows an id for every wallet, no id
// is used twice: what then becomes of it, package history says. Where from keeps its
// accounts in parts, no two wallets have the same recovery digest.
func Move(t *testing.T, from, to Engine) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPair(t, rt, from)
		p.once = from.IDsOfWallets != to.IDsOfWallets
		p.parts = from.Together != nil || to.Together != nil
		p.apart = from.Together != nil
		for range 3 {
			rt.Repeat(p.actions())
		}
		p.move(to)
		p.look()
		for range 2 {
			rt.Repeat(p.actions())
		}
		p.look()
		for _, violation := range violations(p.ctx, p.real) {
			rt.Error(violation)
		}
		if err := p.real.Close(); err != nil {
			rt.Errorf("Close: %v", err)
		}
	})
}

// move puts the pair's engine in the place of another. What was done before is
// not sent again: what a retry across a move is answered, package history says.
func (p *pair) move(to Engine) {
	currency, err := wallet.ParseCurrency("USD")
	if err != nil {
		p.rt.Fatal(err)
	}
	file, moved := new(bytes.Buffer), p.real
	written, err := history.Write(p.ctx, file, moved.(history.Ledger), currency)
	if err != nil {
		p.rt.Fatalf("writing the history: %v", err)
	}
	if err := moved.Close(); err != nil {
		p.rt.Errorf("Close: %v", err)
	}
	p.engine = to
	read, err := history.Replay(p.ctx, bytes.NewReader(file.Bytes()), history.Target{
		Currency: currency, Now: p.clock.Now,
		Open: func(clock func() time.Time) (wallet.Ledger, error) {
			p.real = to.Open(p.tb, clock)
			return staysOpen{p.real}, nil
		},
	})
	if err != nil || read != written {
		p.rt.Fatalf("the history is of %+v, and the replay of %+v, %v; the file is\n%s", written, read, err, file)
	}
	p.past, p.like, p.ids = nil, nil, nil
}

// staysOpen is a ledger that stays open.
type staysOpen struct{ wallet.Ledger }

func (staysOpen) Close() error { return nil }
