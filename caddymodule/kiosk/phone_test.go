package kiosk

import (
	"errors"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var article = View{Rule: "/articles/*", Resource: "shop.example/articles/1", Price: wallet.Unit / 10, Window: time.Hour}

// reads has a phone read a card.
func (s *shop) reads(shown wire.Card, want wire.Reason) Touch {
	s.Helper()
	got, err := s.Read(s.Context(), shown)
	if err != nil || got.Reason != want {
		s.Fatalf("a phone that reads a card is told %q, %v; want %q", got.Reason, err, want)
	}
	return got
}

func (s *shop) pays(token string, view View, answer *wire.Answer) (wire.Verdict, Payer) {
	s.Helper()
	v, from, err := s.Pay(s.Context(), token, view, answer)
	if err != nil {
		s.Fatal(err)
	}
	return v, from
}

func TestACardOnAPhonePaysForAPageOnce(t *testing.T) {
	s := open(t)
	m, h, n := s.enrol("machine"), s.holder(wallet.Unit), s.ntag(1)
	if got := s.reads(message(n), ""); got.Claim == "" || got.Token != "" {
		t.Fatalf("nobody's card is %+v", got)
	}
	one := h.claims(m, message(n))
	got := s.reads(message(n), "")
	if got.Card.ID != one.ID || got.Card.Wallet != h.id {
		t.Errorf("it is %+v", got.Card)
	}
	h.has(wallet.Unit, 0) // reading costs nothing
	for range 3 {
		if v, from := s.pays(got.Token, article, nil); v.Outcome != wire.Granted || from.Wallet != h.id || !from.Until.Equal(s.clock.Now().Add(time.Hour)) {
			t.Errorf("it is %+v, %+v", v, from)
		}
	}
	h.has(wallet.Unit*9/10, 0)
	other := article
	other.Resource, other.Price = "shop.example/articles/2", 2*wallet.Unit
	if _, _, err := s.Pay(t.Context(), got.Token, other, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("the same touch pays for another page: %v", err)
	}
	if v, _ := s.pays(s.reads(message(n), "").Token, article, nil); v.Outcome != wire.Granted {
		t.Errorf("what is paid for is %+v", v)
	}
	h.has(wallet.Unit*9/10, 0)
	if v, _ := s.pays(got.Token, other, nil); v.Reason != wire.Replayed {
		t.Errorf("a touch before the last pays: %+v", v)
	}
	if v, _ := s.pays(s.reads(message(n), "").Token, other, nil); v.Reason != wire.NoMoney {
		t.Errorf("what is too dear is %+v", v)
	}
	h.has(wallet.Unit*9/10, 0)
}

// The attack: an address that a phone has opened is taken from its history, or from a log,
// and opened again or written onto a blank card; or it is made up.
func TestAMessageOnAPhoneIsAcceptedOnce(t *testing.T) {
	s := open(t)
	m, h, n := s.enrol("machine"), s.holder(wallet.Unit), s.ntag(1)
	h.claims(m, message(n))
	shown := message(n)
	got := s.reads(shown, "")
	s.reads(shown, wire.Replayed)
	m.wants(m.tap("gate", shown), wire.Refused, wire.Replayed)
	number := card.UID{0x04, 1, 2, 3, 4, 5, 1}
	s.reads(message(virtual.NewNTAG(number, card.Bolt(card.Key{9}, number, keyVersion).Keys, "")), wire.Forged)
	keys := card.Bolt(s.Keys.Cards, number, keyVersion).Keys
	keys[2][0] ^= 1
	s.reads(message(virtual.NewNTAG(number, keys, "")), wire.Forged)
	s.reads(numbered(t, 1), wire.Forged)
	for _, token := range []string{"", got.Token[1:], got.Token + "A", s.seal([]byte("{}"), claimSeal)} {
		if _, _, err := s.Pay(t.Context(), token, article, nil); !errors.Is(err, ErrCode) {
			t.Errorf("a token that is none: %v", err)
		}
	}
	s.clock.Advance(touchLife)
	if _, _, err := s.Pay(t.Context(), got.Token, article, nil); !errors.Is(err, ErrCode) {
		t.Errorf("an old token: %v", err)
	}
	if err := s.BlockTouched(t.Context(), got.Token); !errors.Is(err, ErrCode) {
		t.Errorf("an old token blocks: %v", err)
	}
	h.has(wallet.Unit, 0)
}

// A phone is a kiosk: its card's limits and PIN count.
func TestAPhoneIsAKioskLikeAnother(t *testing.T) {
	s := open(t)
	s.Terms = map[string]Terms{PhoneKiosk: {Limits: map[Tier]Limits{TierSUN: {Tap: wallet.Unit, Day: wallet.Unit}}}}
	m, h, n := s.enrol("machine"), s.holder(10*wallet.Unit), s.ntag(1)
	one := h.claims(m, message(n))
	dear := article
	dear.Price = wallet.Unit + 1
	if v, _ := s.pays(s.reads(message(n), "").Token, dear, nil); v.Reason != wire.TierLimit {
		t.Errorf("above the limit it is %+v", v)
	}
	if _, err := s.ChangeCard(t.Context(), h.id, one.ID, func(one *Card) error { return s.SetPIN(one, "4711", 0) }); err != nil {
		t.Fatal(err)
	}
	got := s.reads(message(n), "")
	v, _ := s.pays(got.Token, article, nil)
	if v.Outcome != wire.Asked || !v.Ask.PIN {
		t.Fatalf("with a PIN it is %+v", v)
	}
	wrong, _ := s.pays(got.Token, article, &wire.Answer{State: v.Ask.State, PIN: "1379"})
	if wrong.Outcome == wire.Granted {
		t.Error("a wrong PIN pays")
	}
	if v, _ := s.pays(got.Token, article, &wire.Answer{State: v.Ask.State, PIN: "4711"}); v.Outcome != wire.Granted {
		t.Errorf("with its PIN it is %+v", v)
	}
	h.has(10*wallet.Unit-article.Price, 0)
	if err := s.BlockTouched(t.Context(), got.Token); err != nil {
		t.Fatal(err)
	}
	if got := s.reads(message(n), ""); !got.Card.Blocked {
		t.Error("it is not blocked")
	} else if v, _ := s.pays(got.Token, article, nil); v.Reason != wire.Blocked {
		t.Errorf("a blocked card is %+v", v)
	}
	if _, _, err := s.NewCode(t.Context(), PhoneKiosk, false); !errors.Is(err, ErrInvalid) {
		t.Errorf("a machine can be all phones: %v", err)
	}
}
