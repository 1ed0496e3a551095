package caddymodule

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

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
	var owed wallet.Amount
	if held != nil {
		if all, owed, err = c.app.cashier(c.keys, c.ledger).CardsPaid(c.r.Context(), *held); err != nil {
			return c.kioskProblem(err)
		}
		slices.SortFunc(all, func(a, b kiosk.Card) int { return cmp.Or(cmp.Compare(a.Added, b.Added), cmp.Compare(a.ID, b.ID)) })
	}
	switch {
	case c.form() == asHTML:
		return c.showCardsPage(held, all, owed)
	case held == nil:
		return refusalOf(wallet.NotFound)
	}
	answer := cardsJSON{Cards: make([]cardJSON, 0, len(all))}
	for _, one := range all {
		answer.Cards = append(answer.Cards, c.cardJSON(one))
	}
	if owed > 0 {
		shown := c.app.money(owed)
		answer.Owed = &shown
	}
	writeJSON(c.w, http.StatusOK, "application/json", answer)
	return nil
}

// maxClaim is longer than any claim: what is longer is none, and not shown again.
const maxClaim = 1024

// claimPath is the cards' page with a card that wants to be the wallet's.
func claimPath(claim string) string {
	return page.CardsPath + "?" + url.Values{"claim": {claim}}.Encode()
}

func (c *call) showCardsPage(held *wallet.Wallet, all []kiosk.Card, owed wallet.Amount) error {
	p := page.Cards{Frame: c.app.frame(c.r), Exists: held != nil, Return: page.CardsPath, Owed: owed}
	if claim := c.r.URL.Query().Get("claim"); len(claim) <= maxClaim {
		p.Claim = claim
	}
	if p.Claim != "" {
		p.Return = claimPath(p.Claim)
	}
	if held == nil {
		if err := c.app.unpaid(c.r, nil); err != nil {
			return err
		}
	}
	for _, one := range all {
		shown := c.cardShown(one)
		shown.Open = len(all) == 1 || one.ID == c.r.URL.Query().Get("card")
		p.Cards = append(p.Cards, shown)
	}
	p.Notice, p.RecoveryCode = takeNotice(c.w, c.r), takeRecovery(c.w, c.r)
	writePage(c.w, http.StatusOK, p)
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
	name := deref(c.fields.Name)
	if c.fields.Replaces != "" {
		one, err := cashier.ReplaceCard(c.r.Context(), *held, c.fields.Claim, name, c.fields.Replaces)
		return c.answerCard(one, err, page.CardReplaced)
	}
	one, err := cashier.AddCard(c.r.Context(), *held, c.fields.Claim, name)
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
	if c.cred.MaxPrice > 0 && !c.onlyBlocks() {
		return problem{status: http.StatusForbidden, key: page.BadRequest, detail: "a token with a price limit can block a card, and change nothing else of it"}
	}
	limits, err := c.limitsChange()
	if err != nil {
		return c.cardProblem(err)
	}
	pin, err := c.pinChange(cashier)
	if err != nil {
		return c.cardProblem(err)
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
		limits(one)
		if err := pin(one); err != nil {
			return err
		}
		return one.Check()
	})
	return c.answerCard(one, err, page.CardChanged)
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

// onlyBlocks reports whether a card is to be blocked, and stay what it is.
func (c *call) onlyBlocks() bool {
	f := c.fields
	return f.Blocked != nil && *f.Blocked && f.Name == nil && f.TapLimit == nil && f.DayLimit == nil && f.PIN == nil && f.PINAbove == nil && f.Offline == nil
}

func (c *call) answerCard(one kiosk.Card, err error, notice string) error {
	if err != nil {
		return c.cardProblem(err)
	}
	return c.done(http.StatusOK, c.cardJSON(one), cardPath(one.ID), notice)
}

// cardPath is the cards' page with one card lying open.
func cardPath(id string) string { return page.CardsPath + "?" + url.Values{"card": {id}}.Encode() }

// cardProblem is what whoever has a card is told of an error: in words, on the page.
func (c *call) cardProblem(err error) error {
	switch c.fields.Return = page.CardsPath; {
	case c.fields.Card != "":
		c.fields.Return = cardPath(c.fields.Card)
	case c.fields.Claim != "" && len(c.fields.Claim) <= maxClaim && !errors.Is(err, kiosk.ErrCode):
		c.fields.Return = claimPath(c.fields.Claim)
	}
	switch {
	case errors.Is(err, kiosk.ErrCode):
		return problem{status: http.StatusUnprocessableEntity, key: page.CardClaim}
	case errors.Is(err, kiosk.ErrTaken):
		return problem{status: http.StatusConflict, key: page.CardTaken}
	case errors.Is(err, kiosk.ErrPIN):
		return problem{status: http.StatusBadRequest, key: page.CardPIN}
	case errors.Is(err, kiosk.ErrReplaced):
		return problem{status: http.StatusConflict, key: page.CardPlace}
	case errors.Is(err, kiosk.ErrInvalid):
		return problem{status: http.StatusBadRequest, key: page.CardLimits}
	}
	return c.kioskProblem(err)
}
