package caddymodule

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

func TestMetricsTellHowTapsEndAndHowKiosksAre(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k := s.enrolKiosk("metered")
	if _, err := k.State(t.Context(), wire.State{Backlog: 3, Readers: []wire.Reader{{Name: "a"}, {Name: "b", Fault: "unplugged"}}}); err != nil {
		t.Fatal(err)
	}
	m, claim := s.machine("5.00"), ""
	for _, price := range []string{"1.30", "1.20"} {
		v, err := k.Tap(t.Context(), newTap(t, "coffee", price, plainCard(t, 1)))
		if claim = v.Claim; err != nil {
			t.Fatal(err)
		}
	}
	m.post("/.paywall/cards/add", map[string]any{"claim": claim}).wants(http.StatusOK)
	v, err := k.Tap(t.Context(), newTap(t, "coffee", "1.20", plainCard(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Capture(t.Context(), v.Grant); err != nil {
		t.Fatal(err)
	}
	metrics := s.metrics()
	for _, want := range []string{
		`caddy_paywall_taps_total{outcome="unknown",reason=""} `, `caddy_paywall_taps_total{outcome="refused",reason="price_changed"} `,
		`caddy_paywall_taps_total{outcome="granted",reason=""} `, `caddy_paywall_tap_ends_total{outcome="captured"} `, `caddy_paywall_tap_seconds_bucket{le="0.005"} `, `caddy_paywall_taps_held `,
		`caddy_paywall_kiosk_seen_timestamp_seconds{kiosk="metered"} 1.`, `caddy_paywall_kiosk_backlog{kiosk="metered"} 3`,
		`caddy_paywall_kiosk_readers{kiosk="metered"} 2`, `caddy_paywall_kiosk_readers_faulty{kiosk="metered"} 1`,
	} {
		if !strings.Contains(metrics, "\n"+want) {
			t.Errorf("the metrics do not say %s", want)
		}
	}
	if list := s.operator("kiosk", "list"); strings.Join(column(list, 1), " ") != "faulty" {
		t.Errorf("the operator's list is\n%s", list)
	}
}

func TestAKiosksHealthIsOneWord(t *testing.T) {
	now := time.Now()
	seen := now.Add(-lateAfter).UnixMilli()
	faulty := wire.State{Readers: []wire.Reader{{Name: "a"}, {Name: "b", Fault: "unplugged"}}}
	if got := healthOf(kiosk.Kiosk{Seen: seen - 1000, Till: []byte{1}}, now); got != "idle" {
		t.Errorf("a till that nobody uses is called %s", got)
	}
	for want, k := range map[string]kiosk.Kiosk{
		"new":      {},
		"idle":     {Seen: seen - 1000, Issuer: true},
		"well":     {Seen: seen + 1000, State: wire.State{Readers: []wire.Reader{{Name: "a"}}}},
		"faulty":   {Seen: seen + 1000, State: faulty},
		"late":     {Seen: seen - 1000, State: faulty},
		"disabled": {Seen: seen - 1000, State: faulty, Disabled: true},
	} {
		if got := healthOf(k, now); got != want {
			t.Errorf("one that is %s is called %s", want, got)
		}
	}
}
