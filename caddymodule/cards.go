package caddymodule

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// cardJSON is a card as whoever has it sees it.
type cardJSON struct {
	Card     string     `json:"card"`
	Name     string     `json:"name"`
	Proof    string     `json:"proof"` // uid or sun
	Blocked  bool       `json:"blocked"`
	Offline  bool       `json:"offline"` // it may pay at kiosks that are cut off
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
		Card: one.ID, Name: one.Name, Proof: one.Tier.String(), Blocked: one.Blocked, Offline: one.Offline, Added: time.UnixMilli(one.Added).UTC(),
	}
	shown.Spent = c.app.money(c.spentToday(one))
	if one.Own != nil {
		shown.TapLimit, shown.DayLimit = c.limitJSON(one.Own.Tap), c.limitJSON(one.Own.Day)
	}
	return shown
}

func (c *call) limitJSON(limit wallet.Amount) *moneyJSON {
	if limit == wallet.MaxAmount {
		return nil
	}
	shown := c.app.money(limit)
	return &shown
}

func (c *call) spentToday(one kiosk.Card) wallet.Amount {
	if one.Day != c.app.now().UTC().Format(time.DateOnly) {
		return 0
	}
	return one.Spent
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

// showCards serves GET /.paywall/cards, as a page for people and as JSON.
func (c *call) showCards() error {
	if c.app.Kiosks == nil {
		return problem{status: http.StatusNotFound, key: page.NotFound}
	}
	addVary(c.w.Header(), "Accept", "Accept-Language", "Authorization", "Cookie")
	held, err := c.holder()
	if err != nil {
		return err
	}
	var all []kiosk.Card
	if held != nil {
		if all, err = c.app.cashier(c.keys, c.ledger).Cards(c.r.Context(), held.ID); err != nil {
			return c.kioskProblem(err)
		}
		slices.SortFunc(all, func(a, b kiosk.Card) int { return cmp.Or(cmp.Compare(a.Added, b.Added), cmp.Compare(a.ID, b.ID)) })
	}
	switch {
	case c.form() == asHTML:
		return c.showCardsPage(held, all)
	case held == nil:
		return refusalOf(wallet.NotFound)
	}
	answer := cardsJSON{Cards: make([]cardJSON, 0, len(all))}
	for _, one := range all {
		answer.Cards = append(answer.Cards, c.cardJSON(one))
	}
	writeJSON(c.w, http.StatusOK, "application/json", answer)
	return nil
}

// maxClaim is longer than any claim: what is longer is none, and not shown again.
const maxClaim = 1024

func (c *call) showCardsPage(held *wallet.Wallet, all []kiosk.Card) error {
	p := page.Cards{Frame: c.app.frame(c.r), Exists: held != nil, Return: page.CardsPath}
	if claim := c.r.URL.Query().Get("claim"); len(claim) <= maxClaim {
		p.Claim = claim
	}
	if p.Claim != "" {
		p.Return += "?" + url.Values{"claim": {p.Claim}}.Encode()
	}
	if held == nil {
		if err := c.app.unpaid(c.r, nil); err != nil {
			return err
		}
	}
	for _, one := range all {
		shown := page.Card{ID: one.ID, Name: one.Name, Signs: one.Tier > kiosk.TierUID, Blocked: one.Blocked, Spent: c.spentToday(one)}
		if one.Own != nil {
			shown.Tap, shown.Day = c.limitText(one.Own.Tap), c.limitText(one.Own.Day)
		}
		p.Cards = append(p.Cards, shown)
	}
	p.Notice, p.RecoveryCode = takeNotice(c.w, c.r), takeRecovery(c.w, c.r)
	writePage(c.w, http.StatusOK, p)
	return nil
}

// limitText is a limit as a form has it; the largest amount is none.
func (c *call) limitText(limit wallet.Amount) string {
	if limit == wallet.MaxAmount {
		return ""
	}
	return c.app.currency.Format(limit)
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
	one, err := cashier.AddCard(c.r.Context(), *held, c.fields.Claim, deref(c.fields.Name))
	return c.answerCard(one, err, page.CardAdded)
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// changeCard serves POST /.paywall/cards/change: what is given is changed.
func (c *call) changeCard() error {
	held, cashier, err := c.cardholder()
	if err != nil {
		return err
	}
	change, err := c.limitsChange()
	if err != nil {
		return err
	}
	one, err := cashier.ChangeCard(c.r.Context(), held.ID, c.fields.Card, func(one *kiosk.Card) error {
		if c.fields.Name != nil {
			one.Name = *c.fields.Name
		}
		if c.fields.Blocked != nil {
			one.Blocked = *c.fields.Blocked
		}
		if c.fields.Offline != nil {
			one.Offline = *c.fields.Offline
		}
		change(one)
		return one.Check()
	})
	return c.answerCard(one, err, page.CardChanged)
}

// limitsChange reads the limits that the holder sets. What is not given stays; what is given
// and empty is no limit.
func (c *call) limitsChange() (change func(*kiosk.Card), err error) {
	read := func(text *string) (limit wallet.Amount) {
		if limit = wallet.MaxAmount; text != nil && *text != "" && err == nil {
			limit, err = wallet.ParseAmount(*text)
		}
		return limit
	}
	tap, day := read(c.fields.TapLimit), read(c.fields.DayLimit)
	if err != nil {
		return nil, problem{status: http.StatusBadRequest, key: page.CardLimits, detail: "tap_limit and day_limit: " + err.Error()}
	}
	return func(one *kiosk.Card) {
		own := kiosk.Limits{Tap: wallet.MaxAmount, Day: wallet.MaxAmount}
		if one.Own != nil {
			own = *one.Own
		}
		if c.fields.TapLimit != nil {
			own.Tap = tap
		}
		if c.fields.DayLimit != nil {
			own.Day = day
		}
		if one.Own = &own; own == (kiosk.Limits{Tap: wallet.MaxAmount, Day: wallet.MaxAmount}) {
			one.Own = nil
		}
	}, nil
}

// removeCard serves POST /.paywall/cards/remove.
func (c *call) removeCard() error {
	held, cashier, err := c.cardholder()
	if err != nil {
		return err
	}
	if err := cashier.RemoveCard(c.r.Context(), held.ID, c.fields.Card); err != nil {
		return c.cardProblem(err)
	}
	return c.done(http.StatusOK, struct{}{}, page.CardsPath, page.CardRemoved)
}

func (c *call) answerCard(one kiosk.Card, err error, notice string) error {
	if err != nil {
		return c.cardProblem(err)
	}
	return c.done(http.StatusOK, c.cardJSON(one), page.CardsPath, notice)
}

// cardProblem is what whoever has a card is told of an error: in words, on the page.
func (c *call) cardProblem(err error) error {
	c.fields.Return = page.CardsPath
	switch {
	case errors.Is(err, kiosk.ErrCode):
		return problem{status: http.StatusUnprocessableEntity, key: page.CardClaim}
	case errors.Is(err, kiosk.ErrTaken):
		return problem{status: http.StatusConflict, key: page.CardTaken}
	case errors.Is(err, kiosk.ErrInvalid):
		return problem{status: http.StatusBadRequest, key: page.CardLimits}
	}
	return c.kioskProblem(err)
}
