package caddymodule

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// What the operator can do, as the admin routes take it and answer it. The
// command caddy paywall speaks the same types.

// operatorInput is the body of an operator's request. Each operation reads its
// own fields; amounts are decimal strings.
type operatorInput struct {
	ID       wallet.OpID `json:"id,omitzero"` // makes the call idempotent; drawn where absent
	Value    string      `json:"value,omitempty"`
	Count    int         `json:"count,omitempty"`
	Expires  time.Time   `json:"expires,omitzero"`
	Note     string      `json:"note,omitempty"`
	Voucher  string      `json:"voucher,omitempty"` // a serial number or a code
	Wallet   string      `json:"wallet,omitempty"`
	Amount   string      `json:"amount,omitempty"`
	Unfreeze bool        `json:"unfreeze,omitempty"`
	Kiosk    string      `json:"kiosk,omitempty"`
	Enable   bool        `json:"enable,omitempty"`
	Issuer   bool        `json:"issuer,omitempty"` // the kiosk may issue cards
	From     time.Time   `json:"from,omitzero"`
	To       time.Time   `json:"to,omitzero"`
	Cursor   string      `json:"cursor,omitempty"`
	Limit    int         `json:"limit,omitempty"`
}

const defaultOperatorPage = 100

// operatorWallet is a wallet as the operator sees it.
type operatorWallet struct {
	walletJSON
	Created time.Time   `json:"created"`
	Entries []entryJSON `json:"entries,omitempty"`
	Next    string      `json:"next,omitempty"` // cursor of older entries
}

type operatorWallets struct {
	Wallets []operatorWallet `json:"wallets"`
	Next    string           `json:"next,omitempty"`
}

func (c *operatorCall) listWallets() (any, error) {
	page, next, err := c.ledger.Wallets(c.r.Context(), c.input.Cursor, c.limit())
	if err != nil {
		return nil, err
	}
	answer := operatorWallets{Wallets: make([]operatorWallet, 0, len(page)), Next: next}
	for _, held := range page {
		answer.Wallets = append(answer.Wallets, operatorWallet{walletJSON: c.walletJSON(held), Created: held.Created.UTC()})
	}
	return answer, nil
}

func (c *operatorCall) showWallet() (any, error) {
	id, err := c.walletID()
	if err != nil {
		return nil, err
	}
	held, err := c.ledger.Wallet(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	entries, next, err := c.ledger.Entries(c.r.Context(), id, c.input.Cursor, c.limit())
	if err != nil {
		return nil, err
	}
	answer := operatorWallet{walletJSON: c.walletJSON(held), Created: held.Created.UTC(), Next: next}
	for _, e := range entries {
		line := c.entryJSON(e)
		line.Note = e.Note
		answer.Entries = append(answer.Entries, line)
	}
	return answer, nil
}

// movement is the answer to a change of a wallet.
type movement struct {
	ID      wallet.OpID `json:"id"`
	Wallet  string      `json:"wallet"`
	Amount  string      `json:"amount,omitempty"`
	Balance moneyJSON   `json:"balance"`
	Frozen  bool        `json:"frozen"`
}

func (c *operatorCall) creditWallet() (any, error) {
	id, err := c.walletID()
	if err != nil {
		return nil, err
	}
	amount, err := wallet.ParseAmount(c.input.Amount)
	if err != nil {
		return nil, fmt.Errorf("amount: %w", err)
	}
	receipt, err := c.ledger.Transfer(c.r.Context(), wallet.Transfer{
		ID: c.operation(), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: amount, Note: c.input.Note,
	})
	if err != nil {
		return nil, err
	}
	return c.moved(id, receipt)
}

func (c *operatorCall) freezeWallet() (any, error) {
	id, err := c.walletID()
	if err != nil {
		return nil, err
	}
	receipt, err := c.ledger.Freeze(c.r.Context(), wallet.Freeze{
		ID: c.operation(), Wallet: id, Frozen: !c.input.Unfreeze, Note: c.input.Note,
	})
	if err == nil && receipt.Outcome.Done() && !c.input.Unfreeze && c.Kiosks != nil {
		err = c.cashier(c.keys, c.ledger).DenyWallet(c.r.Context(), id)
	}
	if err != nil {
		return nil, err
	}
	return c.moved(id, receipt)
}

func (c *operatorCall) moved(id wallet.WalletID, receipt wallet.Receipt) (any, error) {
	if !receipt.Outcome.Done() {
		return nil, outcomeError(receipt.Outcome, "wallet "+id.String())
	}
	held, err := c.ledger.Wallet(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	answer := movement{ID: receipt.ID, Wallet: id.String(), Balance: c.money(held.Available), Frozen: held.Frozen}
	if receipt.Amount > 0 {
		answer.Amount = c.currency.Format(receipt.Amount)
	}
	return answer, nil
}

// revenueJSON is one row of a report.
type revenueJSON struct {
	Day      string `json:"day"`
	Path     string `json:"path,omitempty"` // empty: bundles sold
	Host     string `json:"host,omitempty"`
	Rule     string `json:"rule"`
	Sales    int    `json:"sales"`
	Visits   int    `json:"visits"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// report adds up what the site earned, by path and day. Without dates it is of
// all time.
func (c *operatorCall) report() (any, error) {
	from, to := c.input.From, c.input.To
	if from.IsZero() {
		from = time.Unix(0, 0)
	}
	if to.IsZero() {
		to = c.now().Add(24 * time.Hour)
	}
	rows, err := c.ledger.Report(c.r.Context(), from, to)
	if err != nil {
		return nil, err
	}
	rows = foldOffline(rows)
	answer := make([]revenueJSON, 0, len(rows))
	for _, row := range rows {
		host, path := meter.SplitResource(row.Resource)
		answer = append(answer, revenueJSON{
			Day: row.Day, Path: path, Host: host, Rule: row.Rule, Sales: row.Sales, Visits: row.Visits,
			Amount: c.currency.Format(row.Amount), Currency: c.currency.String(),
		})
	}
	return answer, nil
}

// foldOffline adds what was paid for offline taps up: in the books each is a resource of its
// own, so that it is paid once. Rows of one day and rule are behind each other.
func foldOffline(rows []wallet.Revenue) (folded []wallet.Revenue) {
	for _, row := range rows {
		if strings.HasPrefix(row.Resource, kiosk.OfflineResource) {
			row.Resource = ""
		}
		if n := len(folded) - 1; n >= 0 && row.Resource == "" && folded[n].Resource == "" && folded[n].Day == row.Day && folded[n].Rule == row.Rule {
			folded[n].Sales += row.Sales
			folded[n].Visits += row.Visits
			folded[n].Amount += row.Amount
			continue
		}
		folded = append(folded, row)
	}
	return folded
}

// auditJSON is the result of verify.
type auditJSON struct {
	OK          bool             `json:"ok"`
	Entries     uint64           `json:"entries"`
	Wallets     int              `json:"wallets"`
	Available   string           `json:"available"`
	Held        string           `json:"held"`
	Site        string           `json:"site"`
	Funding     string           `json:"funding"`
	Sum         string           `json:"sum"`
	Currency    string           `json:"currency"`
	Differences []differenceJSON `json:"differences"`
}

type differenceJSON struct {
	Account string `json:"account"`
	Journal string `json:"journal"`
	Ledger  string `json:"ledger"`
}

// verify recomputes every balance from the journal.
func (c *operatorCall) verify() (any, error) {
	audit, err := c.ledger.Verify(c.r.Context())
	if err != nil {
		return nil, err
	}
	f := c.currency.Format
	answer := auditJSON{
		OK: audit.OK(), Entries: audit.Entries, Wallets: audit.Wallets, Available: f(audit.Available), Held: f(audit.Held),
		Site: f(audit.Site), Funding: f(audit.Funding), Sum: f(audit.Sum), Currency: c.currency.String(),
		Differences: make([]differenceJSON, 0, len(audit.Differences)),
	}
	for _, d := range audit.Differences {
		answer.Differences = append(answer.Differences, differenceJSON{d.Account, f(d.Journal), f(d.Ledger)})
	}
	return answer, nil
}

func (c *operatorCall) walletID() (wallet.WalletID, error) {
	id, err := wallet.ParseWalletID(c.input.Wallet)
	if err != nil {
		return id, adminError(http.StatusBadRequest, err.Error())
	}
	return id, nil
}

func (c *operatorCall) limit() int {
	if c.input.Limit == 0 {
		return defaultOperatorPage
	}
	return c.input.Limit
}

func (c *operatorCall) operation() wallet.OpID {
	if c.input.ID != (wallet.OpID{}) {
		return c.input.ID
	}
	return c.newID()
}
