package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

func TestTheUpstreamIsToldWhatIsKnown(t *testing.T) {
	h := http.Header{"Accept": {"*/*"}}
	tellUpstream(h, "w", "c", "0.10 USD")
	for name, want := range map[string]string{upstreamWallet: "w", upstreamCharge: "c", upstreamPrice: "0.10 USD", "Accept": "*/*"} {
		if got := strings.Join(h[name], ", "); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	h = http.Header{}
	tellUpstream(h, "w", "", "")
	if len(h) != 1 || h.Get(upstreamWallet) != "w" {
		t.Errorf("of a page that is paid for the upstream is told %v", h)
	}
	if !reserved(upstreamWallet) || !reserved(upstreamCharge) || !reserved(upstreamPrice) {
		t.Error("a client could send what only the paywall may say")
	}
}

func TestNamesThatAServerTakesForOursAreReserved(t *testing.T) {
	for name, want := range map[string]bool{
		"Paywall-Wallet": true, "paywall-wallet": true, "PAYWALL-X": true, "Paywall_wallet": true, "Paywall.Wallet": true,
		"Paywall~Wallet": true, "Paywall!": true, "Paywall-": true, "paywall`wallet": true, "Paywall^Charge": true,
		"Paywall": false, "Paywalls-Wallet": false, "Paywall1": false, "X-Paywall-Wallet": false, "Pay-Wall-Wallet": false, "": false,
	} {
		if got := reserved(name); got != want {
			t.Errorf("%q is reserved: %t", name, got)
		}
	}
}

func TestAListOfHopByHopFieldsKeepsWhatIsNotOurs(t *testing.T) {
	for line, want := range map[string]string{
		"close": "close", "Paywall-Wallet": "", "keep-alive, paywall-wallet": "keep-alive", " PAYWALL_Charge ,Upgrade,": "Upgrade",
		"Upgrade, HTTP2-Settings,Paywall-Price,\tpaywall-x": "Upgrade, HTTP2-Settings",
	} {
		if got := withoutReserved(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}
