package caddymodule

import (
	"fmt"
	"strings"
	"testing"
)

// The other half of the gate's table: every way on which bytes can leave, of a
// method whose price was held first, and every outcome of the capture.
func TestEachWayOfDeliveryIsCapturedByWhatItDelivers(t *testing.T) {
	s := waysSite(t)
	for name, way := range deliveries {
		for _, f := range []fault{{}, {expired: true}, {lost: "capture"}, {unanswered: "capture"}} {
			t.Run(fmt.Sprintf("%s %+v", name, f), func(t *testing.T) {
				s := s.within(t)
				m := s.machine("1.00")
				mend := breakLine(t, f)
				raw := m.raw("POST", wayFor(name))
				mend()
				down := f.lost+f.unanswered != ""
				switch {
				case !paysFor(way.asked), name == breaksOff && f.expired, f.lost != "":
					m.wantsBalance("1.00")
				default:
					m.wantsBalance("0.90")
				}
				if paysFor(way.asked) && down && (!strings.Contains(raw, "HTTP/1.1 503") || strings.Contains(raw, "SECRET")) {
					t.Errorf("the client gets\n%s", raw)
				}
				if !down && !strings.Contains(raw, way.body) {
					t.Errorf("the client gets\n%s", raw)
				}
			})
		}
	}
}

// A hold that has expired gave the money back, and the wallet may have spent it
// since: the charge in its place is refused, and nothing leaves (invariant 2).
func TestAHoldThatExpiredIsChargedAgainOnlyWithMoney(t *testing.T) {
	s := waysSite(t)
	for name, way := range deliveries {
		if !paysFor(way.asked) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := s.within(t)
			m := s.machine("0.10")
			breakLine(t, fault{spent: true})
			if raw := m.raw("POST", wayFor(name)); !strings.Contains(raw, "HTTP/1.1 402") || strings.Contains(raw, "SECRET") {
				t.Errorf("the client gets\n%s", raw)
			}
			m.wantsBalance("0.00")
		})
	}
}
