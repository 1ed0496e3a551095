package caddymodule

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// What a card owes for a tap at a kiosk that was cut off is paid when its wallet is topped up,
// once.
func TestATopUpPaysWhatACardOwes(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	m := s.machine("")
	var shown struct{ Wallet string }
	s.decode([]byte(m.get("/.paywall/wallet").body), &shown)
	module, err := caddy.ActiveContext().AppIfConfigured(appName)
	if err != nil {
		t.Fatal(err)
	}
	app := module.(*App)
	ledger, err := app.lease()
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.release()
	owed, err := json.Marshal(map[string]any{"generation": 1, "amount": wallet.Unit * 12 / 10, "product": "coffee", "kiosk": "lobby", "card": "card:none"})
	if err != nil {
		t.Fatal(err)
	}
	put := wallet.Put{ID: app.newID(), Register: fmt.Sprintf("debt:%s:%s", shown.Wallet, app.newID()), Value: string(owed)}
	if r, err := ledger.Put(t.Context(), put); err != nil || !r.Outcome.Done() {
		t.Fatal(r, err)
	}
	topUp := func(value string) {
		m.post("/.paywall/vouchers/redeem", map[string]any{"code": s.voucher(value)}).wants(http.StatusOK)
	}
	topUp("1.00") // which is not enough
	m.wantsBalance("1.00")
	topUp("1.00")
	m.wantsBalance("0.80")
	topUp("1.00")
	m.wantsBalance("1.80")
	m.get("/.paywall/cards").wants(http.StatusOK).saysNot("owed")
}
