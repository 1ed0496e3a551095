package caddymodule

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// The attack: wallets from more addresses than anybody can count, which would
// fill the memory. Who has a voucher still gets one.
func TestAttackWalletsFromEveryAddress(t *testing.T) {
	s := proxied(t)
	app := runningApp(t)
	s.stranger().at("192.0.2.1").post(walletsPath, nil).wants(http.StatusCreated)
	for range maxAllWallets + 600 { // a minute more, which this test does not last
		app.limits.allWallets.add(everybody, app.now())
	}
	refused := s.stranger().at("192.0.2.2").post(walletsPath, nil).wants(http.StatusTooManyRequests)
	refused.says(page.Text("en", page.Limited))
	if refused.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	s.stranger().at("192.0.2.2").post(page.RedeemPath, map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK)
}

// The attack: having all the wallets that there are for an hour. Twenty
// addresses could; so when they are scarce those who have many get no more.
func TestAttackAllTheWalletsFromAFewAddresses(t *testing.T) {
	now := time.Now()
	l := newLimits(UnpaidLimit{Off: true}, now)
	had := 0
	take := func(address string, tries int) {
		for range tries {
			if _, ok := l.freeWallet(partyAt(address), now); ok {
				had++
			}
		}
	}
	for i := range 100 {
		take(fmt.Sprintf("10.0.0.%d", i), 2*maxNewWallets)
	}
	for i := range 1 << 16 {
		take(fmt.Sprintf("2001:db8:1:%x::1", i), 1)
	}
	if most := maxCalmWallets + 91*maxScarceWallets + widerShare*maxScarceWallets; had < maxCalmWallets || had > most {
		t.Errorf("the attacker has %d wallets, want %d to %d", had, maxCalmWallets, most)
	}
	refused := 0
	for i := range 1000 {
		if _, ok := l.freeWallet(partyAt(fmt.Sprintf("198.51.%d.%d", i>>8, i&255)), now); !ok {
			refused++
		}
	}
	if refused > 10 {
		t.Errorf("%d of 1000 others get no wallet", refused)
	}
}

// The attack: spending what all share on requests that make no wallet.
func TestAttackWalletsThatAreRefusedTakeNobodyElses(t *testing.T) {
	s := startSite(t, magazine)
	l := runningApp(t).limits
	for range 3 {
		s.stranger().post(walletsPath, map[string]any{"max_price": "nonsense"}).wants(http.StatusBadRequest)
	}
	for range maxNewWallets + 10 {
		l.newWallets.add(partyAt("127.0.0.1"), time.Now())
	}
	s.stranger().post(walletsPath, nil).wants(http.StatusTooManyRequests)
	if at := l.allWallets.places(&everybody); at[0].Load() != 0 {
		t.Errorf("what all share has lost %v", time.Duration(at[0].Load()))
	}
}

// The attack: a wallet or a wrong code in each of the 65 536 networks of one
// subscriber, until nobody else is counted any more, and so nobody else let in.
func TestAttackLockingOthersOutFromOnePrefix(t *testing.T) {
	s := proxied(t)
	app := runningApp(t)
	for i := range 1 << 16 {
		who := partyAt(fmt.Sprintf("2001:db8:1:%x::1", i))
		app.limits.newWallets.take(who, app.now())
		app.limits.wrongCodes.take(who, app.now())
	}
	for i := range 20 { // of which one may share the place of one that is spent
		s.stranger().at(fmt.Sprintf("192.0.2.%d", i)).post(walletsPath, nil).wants(http.StatusCreated)
	}
	for i := range 5 {
		v := s.stranger().at(fmt.Sprintf("198.51.100.%d", i))
		if got := v.post(page.RecoverPath, map[string]any{"code": wrongRecovery(t)}); got.StatusCode == http.StatusUnprocessableEntity {
			return
		}
	}
	t.Error("five others may not enter a code")
}

// The attack: changing a recovery code for ever, each of which the journal
// keeps.
func TestAttackRecoveryCodesWithoutNumber(t *testing.T) {
	s := startSite(t, magazine)
	m, other := s.machine(""), s.machine("")
	for range maxWrongCodes {
		m.post(page.NewRecoveryPath, nil).wants(http.StatusOK)
	}
	spentTries(m.post(page.NewRecoveryPath, nil))
	other.post(page.NewRecoveryPath, nil).wants(http.StatusOK)
}
