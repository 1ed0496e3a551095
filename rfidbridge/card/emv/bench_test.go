package emv

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
)

// BenchmarkBankCard measures a transaction with a card that signs fast: what the terminal
// itself takes, without the card's own signature and the way there.
func BenchmarkBankCard(b *testing.B) {
	machine, card := terminal(b), ours(virtual.BankCardOptions{})
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for range b.N {
		begun, away := time.Now(), time.Duration(0)
		if _, err := machine.Token(func(command []byte) ([]byte, error) {
			asked := time.Now()
			answer := card.Transmit(command)
			away += time.Since(asked)
			return answer, nil
		}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun)-away)
	}
	b.StopTimer()
	slices.Sort(took)
	for name, part := range map[string]int{"p50-ms": 50, "p95-ms": 95, "p99-ms": 99} {
		b.ReportMetric(float64(took[len(took)*part/100].Microseconds())/1000, name)
	}
}
