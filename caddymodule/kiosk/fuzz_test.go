package kiosk

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Whatever comes back as what the paywall has sealed, and whatever was sealed by a version
// that wrote it otherwise: it moves nothing.
func FuzzSealed(f *testing.F) {
	for _, text := range []string{
		`{"t":"019a2c3e-5b70-7c1f-8a3d-2f1e0d9c8b7a","w":"","h":"","a":100000,"p":"coffee","c":"card:00","at":1}`, `{"a":-1}`, `{}`, `null`, ``, `{"x":9999999999999}`,
		`{"t":"019a2c3e-5b70-7c1f-8a3d-2f1e0d9c8b7a","x":9999999999999,"c":{"uid":"04a1b2c3d4e5f6"},"s":[1],"a":["00"]}`, string(claim{Tier: 200, Expires: 1 << 62}.bytes()),
	} {
		f.Add([]byte(text), text, true)
		f.Add([]byte(text), text, false)
	}
	f.Fuzz(func(t *testing.T, text []byte, raw string, sealed bool) {
		s := open(t)
		m, h := s.enrol("lobby"), s.holder(wallet.Unit)
		as := func(kind string) string {
			if sealed {
				return s.seal(text, kind)
			}
			return raw
		}
		k := Kiosk{Name: m.name}
		tap := m.newTap("coffee", numbered(t, 1))
		tap.Answer = &wire.Answer{State: as(dialogSeal + m.name), Card: text}
		if v, err := s.Tap(t.Context(), k, tap); err == nil && v.Outcome == wire.Granted {
			t.Errorf("a tap is granted: %+v", v)
		}
		for _, resolve := range []func() (wire.Resolved, error){
			func() (wire.Resolved, error) {
				return s.Capture(t.Context(), k, wire.Resolve{Grant: as(grantSeal + m.name)})
			},
			func() (wire.Resolved, error) {
				return s.Release(t.Context(), k, wire.Resolve{Grant: as(grantSeal + m.name)})
			},
		} {
			if r, err := resolve(); err == nil && r.Outcome != Expired {
				t.Errorf("nothing was granted, and is %+v", r)
			}
		}
		if _, err := s.AddCard(t.Context(), h.wallet(), as(claimSeal), ""); !sealed && !errors.Is(err, ErrCode) {
			t.Errorf("a claim that nobody has sealed: %v", err)
		}
		if _, err := s.openTouch(as(touchSeal)); !sealed && !errors.Is(err, ErrCode) {
			t.Errorf("what a phone has that nobody has sealed: %v", err)
		}
		if _, _, err := s.Begin(t.Context(), wire.BrowserCode(m.name, as(grantSeal+m.name)), "shop.example", ""); err == nil {
			t.Error("a browser is signed in for nothing")
		}
		_, _, _ = readTill(raw)
		h.has(wallet.Unit, 0)
	})
}

// Whatever a kiosk sends as a tap: it is judged or refused, and moves no more than its price.
func FuzzTap(f *testing.F) {
	for _, text := range []string{
		`{"product":"coffee","card":{"uid":"04010203040501"},"price":"1.00"}`, `{"product":"coffee","card":{"sun":{"picc":"00112233445566778899aabbccddeeff","cmac":"0011223344556677"}},"price":"1.00","exchange":true}`,
		`{"product":"gate","card":{"token":"` + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" + `"},"price":"0.10"}`, `{"product":"","price":"1e9"}`, `{}`,
		`{"product":"coffee","card":{"uid":"04010203040501","kind":"ntag424"},"price":"1.00","exchange":true,"pin_pad":true,"again":true}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var tap wire.Tap
		if json.Unmarshal(text, &tap) != nil {
			return
		}
		s := open(t)
		m, h := s.enrol("lobby"), s.holder(wallet.Unit)
		h.claims(m, numbered(t, 1))
		tap.ID = m.newTap("coffee", numbered(t, 1)).ID
		v, err := s.Tap(t.Context(), Kiosk{Name: m.name}, tap)
		switch {
		case err != nil || v.Outcome != wire.Granted:
			h.has(wallet.Unit, 0)
		case tap.Price == "0.10":
			h.has(wallet.Unit-wallet.Unit/10, wallet.Unit/10)
		default:
			h.has(0, wallet.Unit)
		}
	})
}
