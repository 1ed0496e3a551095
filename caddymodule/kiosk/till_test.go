package kiosk

import (
	"errors"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// till makes a browser a kiosk.
func (s *shop) till(name string) (cookie string) {
	s.Helper()
	code, _, err := s.NewCode(s.Context(), name, false)
	if err == nil {
		cookie, err = s.EnrolTill(s.Context(), code.String())
	}
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.EnrolTill(s.Context(), code.String()); !errors.Is(err, ErrCode) {
		s.Errorf("a code is good twice: %v", err)
	}
	return cookie
}

func TestABrowserIsAKioskUntilItIsStopped(t *testing.T) {
	s := open(t)
	m, h, cookie := s.enrol("machine"), s.holder(wallet.Unit), s.till("stall")
	shown := numbered(t, 1)
	h.claims(m, shown)
	k, err := s.UseTill(t.Context(), cookie)
	if err != nil || k.Name != "stall" {
		t.Fatalf("it is %q, %v", k.Name, err)
	}
	v, err := s.Tap(t.Context(), k, m.newTap("gate", shown))
	if err != nil || v.Outcome != wire.Granted {
		t.Fatalf("the tap is %+v, %v", v, err)
	}
	if r, err := s.Capture(t.Context(), k, wire.Resolve{Grant: v.Grant}); err != nil || r.Outcome != Captured {
		t.Errorf("%+v, %v", r, err)
	}
	if k, err = s.UseTill(t.Context(), cookie); err != nil || len(k.Taps) != 2 || k.Seen == 0 {
		t.Errorf("the operator sees %+v, %v", k, err)
	}
	if err := s.Disable(t.Context(), "stall", true); err != nil {
		t.Fatal(err)
	}
	for _, try := range []func() (Kiosk, error){
		func() (Kiosk, error) { return s.UseTill(t.Context(), cookie) }, func() (Kiosk, error) { return s.OpenTill(t.Context(), cookie) },
	} {
		if _, err := try(); !errors.Is(err, ErrDisabled) {
			t.Errorf("a disabled till: %v", err)
		}
	}
	if err := errors.Join(s.Disable(t.Context(), "stall", false), s.LeaveTill(t.Context(), cookie), s.LeaveTill(t.Context(), cookie)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenTill(t.Context(), cookie); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a till that has been left: %v", err)
	}
}

// The attack: a till's cookie is made up, or kept when another machine has its name; or a
// machine's name is shown as a till's.
func TestATillsSecretIsNotGuessed(t *testing.T) {
	s := open(t)
	m, cookie := s.enrol("machine"), s.till("stall")
	name, secret, _ := strings.Cut(cookie, ".")
	for _, forged := range []string{"", name, name + ".", "." + secret, m.name + "." + secret, m.name + ".", "nobody." + secret, name + "." + secret + "A", name + "." + strings.Repeat("A", 999)} {
		for _, try := range []func() (Kiosk, error){
			func() (Kiosk, error) { return s.UseTill(t.Context(), forged) }, func() (Kiosk, error) { return s.OpenTill(t.Context(), forged) },
		} {
			if _, err := try(); !errors.Is(err, ErrUnauthorized) {
				t.Errorf("%.20q is a till: %v", forged, err)
			}
		}
		if err := s.LeaveTill(t.Context(), forged); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.OpenTill(t.Context(), cookie); err != nil {
		t.Errorf("it is stopped by who has not its secret: %v", err)
	}
	s.till("stall")
	if _, err := s.OpenTill(t.Context(), cookie); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("its old secret: %v", err)
	}
}
