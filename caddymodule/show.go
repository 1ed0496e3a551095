package caddymodule

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const entriesPage = 20 // entries on one page of a wallet

// walletJSON is a wallet as its holder sees it.
type walletJSON struct {
	Wallet  string     `json:"wallet"`
	Balance moneyJSON  `json:"balance"`
	Held    *moneyJSON `json:"held,omitempty"`
	Frozen  bool       `json:"frozen,omitempty"`
	Passes  []passJSON `json:"passes"`
}

type passJSON struct {
	Rule   string     `json:"rule"`
	Title  string     `json:"title,omitempty"`
	Visits int        `json:"visits"`
	Until  *time.Time `json:"until,omitempty"`
}

// entriesJSON is one page of what happened to a wallet, newest first.
type entriesJSON struct {
	Entries []entryJSON `json:"entries"`
	Next    string      `json:"next,omitempty"` // cursor of the next page
}

type entryJSON struct {
	ID      wallet.OpID `json:"id"`
	Time    time.Time   `json:"time"`
	Kind    string      `json:"kind"`
	Amount  string      `json:"amount"` // change of the balance
	Balance string      `json:"balance"`
	Visits  int         `json:"visits,omitempty"` // change of the visits
	Rule    string      `json:"rule,omitempty"`
	Path    string      `json:"path,omitempty"`
	Note    string      `json:"note,omitempty"`
}

// showWallet serves GET /.paywall/wallet and GET /.paywall/wallet/entries, as
// the same page for people and as two kinds of JSON.
func (c *call) showWallet() error {
	addVary(c.w.Header(), "Accept", "Accept-Language", "Authorization", "Cookie")
	held, err := c.holder()
	if err != nil {
		return err
	}
	if c.form() == asHTML {
		return c.showPage(held)
	}
	if held == nil {
		return refusalOf(wallet.NotFound)
	}
	if c.r.URL.Path != entriesPath {
		writeJSON(c.w, http.StatusOK, "application/json", c.app.walletJSON(*held))
		return nil
	}
	entries, next, err := c.entries(held.ID)
	if err != nil {
		return err
	}
	answer := entriesJSON{Entries: make([]entryJSON, 0, len(entries)), Next: next}
	for _, e := range entries {
		answer.Entries = append(answer.Entries, c.app.entryJSON(e))
	}
	writeJSON(c.w, http.StatusOK, "application/json", answer)
	return nil
}

func (c *call) showPage(held *wallet.Wallet) error {
	p := page.Wallet{Frame: c.app.frame(c.r), Exists: held != nil, First: c.r.URL.Query().Get("cursor") == ""}
	if held != nil {
		entries, next, err := c.entries(held.ID)
		if err != nil {
			return err
		}
		if err := c.renew(*held); err != nil {
			return err
		}
		c.fill(&p, *held, entries)
		p.Next = next
	} else if err := c.app.unpaid(c.r, nil); err != nil {
		return err
	}
	p.Notice, p.RecoveryCode = takeNotice(c.w, c.r), takeRecovery(c.w, c.r)
	writePage(c.w, http.StatusOK, p)
	return nil
}

func (c *call) fill(p *page.Wallet, held wallet.Wallet, entries []wallet.Entry) {
	p.Cards = c.app.Kiosks != nil
	p.ID, p.Frozen, p.Balance, p.Held = held.ID.String(), held.Frozen, held.Available, held.Held
	for _, pass := range held.Passes {
		p.Passes = append(p.Passes, page.Pass{Title: c.app.rules.title(pass.Rule), Visits: pass.Visits, Until: pass.Until})
	}
	for _, e := range entries {
		if e.Kind == wallet.KindDeliver {
			continue // of no interest to a reader, who has just read the page
		}
		_, path := meter.SplitResource(e.Resource)
		p.Entries = append(p.Entries, page.Entry{
			Time: e.Time, Kind: e.Kind, Amount: e.Amount, Balance: e.Balance, Visits: e.Visits, Path: path, Note: noteOf(e),
			Kiosk: e.Kind == wallet.KindCharge && strings.HasPrefix(e.Resource, kiosk.OfflineResource),
		})
	}
}

// renew gives a reader who comes back a fresh cookie, once the one at hand has
// lived half its life.
func (c *call) renew(held wallet.Wallet) error {
	lifetime := time.Duration(c.app.TokenLifetime)
	if c.cred.bearer || c.app.now().Sub(c.cred.Issued) < lifetime/2 {
		return nil
	}
	token, err := c.mint(held.ID, held.Generation, c.cred.MaxPrice)
	if err == nil {
		setToken(c.w, c.r, token, lifetime)
	}
	return err
}

func (c *call) entries(id wallet.WalletID) ([]wallet.Entry, string, error) {
	entries, next, err := c.ledger.Entries(c.r.Context(), id, c.r.URL.Query().Get("cursor"), entriesPage)
	if errors.Is(err, wallet.ErrInvalid) {
		return nil, "", badRequest("cursor is not one of this wallet's")
	}
	if err != nil {
		return nil, "", c.app.down("reading the journal", err)
	}
	return entries, next, nil
}

func (a *App) walletJSON(held wallet.Wallet) walletJSON {
	answer := walletJSON{
		Wallet: held.ID.String(), Balance: a.money(held.Available), Frozen: held.Frozen,
		Passes: make([]passJSON, 0, len(held.Passes)),
	}
	if held.Held > 0 {
		amount := a.money(held.Held)
		answer.Held = &amount
	}
	for _, pass := range held.Passes {
		answer.Passes = append(answer.Passes, passJSON{pass.Rule, a.rules.title(pass.Rule), pass.Visits, optional(pass.Until)})
	}
	return answer
}

func (a *App) entryJSON(e wallet.Entry) entryJSON {
	_, path := meter.SplitResource(e.Resource)
	return entryJSON{
		ID: e.ID, Time: e.Time.UTC(), Kind: e.Kind.String(),
		Amount: a.currency.Format(e.Amount), Balance: a.currency.Format(e.Balance),
		Visits: e.Visits, Rule: e.Rule, Path: path, Note: noteOf(e),
	}
}

// noteOf is what a wallet's holder may read of an entry's note: why money came
// or went, but not what the operator wrote when freezing.
func noteOf(e wallet.Entry) string {
	if e.Kind == wallet.KindFreeze {
		return ""
	}
	return e.Note
}

// optional is t in UTC, or nil where it is zero.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// publicKeys serves GET /.paywall/jwks.json: what others need to verify a
// wallet token.
func (c *call) publicKeys() error {
	c.public()
	writeBody(c.w, http.StatusOK, "application/jwk-set+json", c.keys.ring.JWKS())
	return nil
}

// public lets caches keep the answer for a short time.
func (c *call) public() {
	c.w.Header().Set("Cache-Control", "public, max-age=60")
}
