package caddymodule

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	cardsPath      = prefix + "cards"
	addCardPath    = cardsPath + "/add"
	changeCardPath = cardsPath + "/change"
	removeCardPath = cardsPath + "/remove"
)

// cardJSON is a card as whoever has it sees it.
type cardJSON struct {
	Card     string     `json:"card"`
	Name     string     `json:"name"`
	Proof    string     `json:"proof"` // uid or sun
	Blocked  bool       `json:"blocked"`
	Added    time.Time  `json:"added"`
	TapLimit *moneyJSON `json:"tap_limit,omitempty"`
	DayLimit *moneyJSON `json:"day_limit,omitempty"`
	Spent    moneyJSON  `json:"spent_today"`
}

type cardsJSON struct {
	Cards []cardJSON `json:"cards"`
}

func (c *call) cardJSON(one kiosk.Card) cardJSON {
	shown := cardJSON{
		Card: one.ID, Name: one.Name, Proof: one.Tier.String(), Blocked: one.Blocked, Added: time.UnixMilli(one.Added).UTC(),
	}
	spent := wallet.Amount(0)
	if one.Day == c.app.now().UTC().Format(time.DateOnly) {
		spent = one.Spent
	}
	shown.Spent = c.app.money(spent)
	if one.Own != nil {
		tap, day := c.app.money(one.Own.Tap), c.app.money(one.Own.Day)
		shown.TapLimit, shown.DayLimit = &tap, &day
	}
	return shown
}

// cardholder is whose cards they are, and who looks after them.
func (c *call) cardholder() (*wallet.Wallet, *kiosk.Cashier, error) {
	if c.app.Kiosks == nil {
		return nil, nil, problem{status: http.StatusNotFound, key: page.NotFound}
	}
	held, err := c.mustHolder()
	if err != nil {
		return nil, nil, err
	}
	return held, c.app.cashier(c.keys, c.ledger), nil
}

// listCards serves GET /.paywall/cards.
func (c *call) listCards() error {
	held, cashier, err := c.cardholder()
	if err != nil {
		return err
	}
	all, err := cashier.Cards(c.r.Context(), held.ID)
	if err != nil {
		return c.kioskProblem(err)
	}
	slices.SortFunc(all, func(a, b kiosk.Card) int { return cmp.Or(cmp.Compare(a.Added, b.Added), cmp.Compare(a.ID, b.ID)) })
	answer := cardsJSON{Cards: make([]cardJSON, 0, len(all))}
	for _, one := range all {
		answer.Cards = append(answer.Cards, c.cardJSON(one))
	}
	writeJSON(c.w, http.StatusOK, "application/json", answer)
	return nil
}

// addCard serves POST /.paywall/cards/add: a card becomes the wallet's, by the claim that
// a kiosk has shown.
func (c *call) addCard() error {
	held, cashier, err := c.cardholder()
	if err != nil {
		return err
	}
	if c.cred.MaxPrice > 0 {
		return problem{status: http.StatusForbidden, key: page.BadRequest, detail: "a token with a price limit cannot add a card, which has none"}
	}
	one, err := cashier.AddCard(c.r.Context(), *held, c.fields.Claim, c.fields.Name)
	return c.answerCard(one, err)
}

// changeCard serves POST /.paywall/cards/change: what is given is changed.
func (c *call) changeCard() error {
	held, cashier, err := c.cardholder()
	if err != nil {
		return err
	}
	own, err := c.ownLimits()
	if err != nil {
		return err
	}
	one, err := cashier.ChangeCard(c.r.Context(), held.ID, c.fields.Card, func(one *kiosk.Card) error {
		if c.fields.Name != "" {
			one.Name = c.fields.Name
		}
		if c.fields.Blocked != nil {
			one.Blocked = *c.fields.Blocked
		}
		if own != nil {
			one.Own = own
		}
		return one.Check()
	})
	return c.answerCard(one, err)
}

// ownLimits are the limits that the holder sets; nil: none are given.
func (c *call) ownLimits() (*kiosk.Limits, error) {
	if c.fields.TapLimit == "" && c.fields.DayLimit == "" {
		return nil, nil
	}
	var own kiosk.Limits
	var err error
	if own.Tap, err = wallet.ParseAmount(cmp.Or(c.fields.TapLimit, c.fields.DayLimit)); err == nil {
		own.Day, err = wallet.ParseAmount(cmp.Or(c.fields.DayLimit, c.fields.TapLimit))
	}
	if err != nil {
		return nil, badRequest("tap_limit and day_limit: " + err.Error())
	}
	return &own, nil
}

// removeCard serves POST /.paywall/cards/remove.
func (c *call) removeCard() error {
	held, cashier, err := c.cardholder()
	if err != nil {
		return err
	}
	if err := cashier.RemoveCard(c.r.Context(), held.ID, c.fields.Card); err != nil {
		return c.kioskProblem(err)
	}
	writeJSON(c.w, http.StatusOK, "application/json", struct{}{})
	return nil
}

func (c *call) answerCard(one kiosk.Card, err error) error {
	if err != nil {
		return c.kioskProblem(err)
	}
	writeJSON(c.w, http.StatusOK, "application/json", c.cardJSON(one))
	return nil
}
