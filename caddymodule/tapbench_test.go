package caddymodule

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// BenchmarkTap measures a tap, from a card that is there to the opening: the kiosk's
// journal, a request over the loopback interface, and the ledger, all of it durable. Each
// tap is settled before the next.
//
// sun is a card that signs; with a mutual proof, two requests more carry what the paywall
// and the card say to each other; emv is a bank card with all of its transaction, in which
// the card in software takes as long to sign as the machine that the kiosk is.
func BenchmarkTap(b *testing.B) {
	b.Run("sun", func(b *testing.B) {
		k := benchKiosk(b)
		n := k.ntag()
		k.taps(func() tap.Presented {
			picc, mac := n.SUN()
			return tap.Presented{Card: wire.Card{SUN: true, PICC: picc, MAC: mac}}
		})
	})
	b.Run("mutual", func(b *testing.B) {
		k := benchKiosk(b)
		n := k.ntag()
		k.taps(func() tap.Presented {
			picc, mac := n.SUN()
			return tap.Presented{
				Card:     wire.Card{SUN: true, PICC: picc, MAC: mac},
				Exchange: func(command []byte) ([]byte, error) { return n.Transmit(command), nil },
			}
		})
	})
	b.Run("emv", func(b *testing.B) {
		k := benchKiosk(b)
		terminal, bank := k.bankCard()
		k.taps(func() tap.Presented {
			token, err := terminal.Token(func(command []byte) ([]byte, error) { return bank.Transmit(command), nil })
			k.ok(err)
			return tap.Presented{Card: wire.Card{Bank: true, Token: token}}
		})
	})
}

// benched is a kiosk that opens nothing, beside a site.
type benched struct {
	*testing.B
	desk  *tap.Desk
	claim func(claim string)
	cards card.Key
}

func (k *benched) ok(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// taps makes the card a wallet's with much money, and measures.
func (k *benched) taps(present func() tap.Presented) {
	k.Helper()
	product := wire.Product{Name: "gate", Price: "0.10"}
	k.claim(k.desk.Tap(k.Context(), present(), product, false).Claim)
	took := make([]time.Duration, 0, k.N)
	k.ResetTimer()
	for range k.N {
		begun := time.Now()
		r := k.desk.Tap(k.Context(), present(), product, true)
		took = append(took, time.Since(begun))
		if r.Kind != tap.Paid {
			k.Fatalf("a tap is %+v", r)
		}
		_, err := k.desk.Settle(k.Context())
		k.ok(err)
	}
	k.StopTimer()
	slices.Sort(took)
	for name, part := range map[string]int{"p50-ms": 50, "p95-ms": 95, "p99-ms": 99} {
		k.ReportMetric(float64(took[len(took)*part/100].Microseconds())/1000, name)
	}
}

func benchKiosk(b *testing.B) *benched {
	b.Helper()
	s := newBenchWith(b, `paywall {
	kiosks {
		product gate 0.10
		limit sun 1 1000000
		limit mutual 1 1000000
		limit emv 1 1000000
	}
}`, "paywall /articles/* 0.10\nfile_server")
	k := &benched{B: b}
	keys, err := s.app.open()
	k.ok(err)
	k.cards = keys.kiosks.Cards
	ledger, err := s.app.lease()
	k.ok(err)
	b.Cleanup(ledger.release)
	cashier := s.app.cashier(keys, ledger)
	code, _, err := cashier.NewCode(b.Context(), "bench", false)
	k.ok(err)
	id, err := client.Enrol(b.Context(), "http://"+s.host, code.String(), filepath.Join(b.TempDir(), "identity.json"), nil)
	k.ok(err)
	paywall, err := client.New(id, nil)
	k.ok(err)
	j, err := journal.Open(filepath.Join(b.TempDir(), "journal"))
	k.ok(err)
	b.Cleanup(func() { j.Close() })
	k.desk = &tap.Desk{
		Kiosk: id.Kiosk, Paywall: paywall, Actuator: actuator.None{}, Patience: time.Second, Opening: time.Second,
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	k.ok(k.desk.Start(j))
	k.claim = func(claim string) {
		owner := ledgertest.NewWallet(b, ledger, time.Now, 1_000_000*wallet.Unit)
		_, err := cashier.AddCard(b.Context(), wallet.Wallet{ID: owner, Generation: 1}, claim, "")
		k.ok(err)
	}
	return k
}

// ntag is a card of this site that signs.
func (k *benched) ntag() *virtual.NTAG {
	number := card.UID{0x04, 1, 2, 3, 4, 5, 6}
	return virtual.NewNTAG(number, card.Bolt(k.cards, number, 1).Keys, "")
}

// bankCard is one that signs fast, and what reads it.
func (k *benched) bankCard() (*emv.Terminal, *virtual.BankCard) {
	k.Helper()
	s, err := virtual.NewBankScheme(rand.Reader)
	k.ok(err)
	authority, err := emv.NewAuthority(s.RID, s.Index, s.Authority.N.Bytes(), virtual.BankExponent, s.Hash())
	k.ok(err)
	return &emv.Terminal{
		Authorities: []*emv.Authority{authority}, Key: bytes.Repeat([]byte{7}, emv.KeySize), Currency: emv.NoCurrency,
		Now: time.Now, Random: rand.Reader,
	}, virtual.NewBankCard(s, virtual.BankCardOptions{})
}
