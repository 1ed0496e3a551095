package caddymodule

import (
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// BenchmarkTap measures a tap of a card that signs, from what it has shown to the opening:
// the kiosk's journal, a request over the loopback interface, and the ledger, all of it
// durable. Each tap is settled before the next. With a proof, two requests more carry what
// the paywall and the card say to each other.
func BenchmarkTap(b *testing.B) {
	b.Run("sun", func(b *testing.B) { benchTaps(b, false) })
	b.Run("mutual", func(b *testing.B) { benchTaps(b, true) })
}

func benchTaps(b *testing.B, proves bool) {
	n, desk := benchKiosk(b)
	product := wire.Product{Name: "gate", Price: "0.10"}
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for range b.N {
		picc, mac := n.SUN()
		p := tap.Presented{Card: wire.Card{SUN: true, PICC: picc, MAC: mac}}
		if proves {
			p.Exchange = func(command []byte) ([]byte, error) { return n.Transmit(command), nil }
		}
		begun := time.Now()
		r := desk.Tap(b.Context(), p, product, true)
		took = append(took, time.Since(begun))
		if r.Kind != tap.Paid {
			b.Fatalf("a tap is %+v", r)
		}
		if _, err := desk.Settle(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	slices.Sort(took)
	for name, part := range map[string]int{"p50-ms": 50, "p95-ms": 95, "p99-ms": 99} {
		b.ReportMetric(float64(took[len(took)*part/100].Microseconds())/1000, name)
	}
}

// benchKiosk is a card of a wallet with much money, and a kiosk that opens nothing.
func benchKiosk(b *testing.B) (*virtual.NTAG, *tap.Desk) {
	b.Helper()
	s := newBenchWith(b, "paywall {\nkiosks {\nproduct gate 0.10\nlimit sun 1 1000000\nlimit mutual 1 1000000\n}\n}", "paywall /articles/* 0.10\nfile_server")
	ok := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	keys, err := s.app.open()
	ok(err)
	ledger, err := s.app.lease()
	ok(err)
	b.Cleanup(ledger.release)
	cashier := s.app.cashier(keys, ledger)
	code, _, err := cashier.NewCode(b.Context(), "bench")
	ok(err)
	id, err := client.Enrol(b.Context(), "http://"+s.host, code.String(), filepath.Join(b.TempDir(), "identity.json"), nil)
	ok(err)
	paywall, err := client.New(id, nil)
	ok(err)
	j, err := journal.Open(filepath.Join(b.TempDir(), "journal"))
	ok(err)
	b.Cleanup(func() { j.Close() })
	desk := &tap.Desk{
		Kiosk: id.Kiosk, Paywall: paywall, Actuator: actuator.None{}, Patience: time.Second, Opening: time.Second,
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	ok(desk.Start(j))
	number := card.UID{0x04, 1, 2, 3, 4, 5, 6}
	n := virtual.NewNTAG(number, card.Bolt(keys.kiosks.Cards, number, 1).Keys, "")
	picc, mac := n.SUN()
	r := desk.Tap(b.Context(), tap.Presented{Card: wire.Card{SUN: true, PICC: picc, MAC: mac}}, wire.Product{Name: "gate", Price: "0.10"}, false)
	owner := ledgertest.NewWallet(b, ledger, time.Now, 1_000_000*wallet.Unit)
	_, err = cashier.AddCard(b.Context(), wallet.Wallet{ID: owner, Generation: 1}, r.Claim, "")
	ok(err)
	return n, desk
}
