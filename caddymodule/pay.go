package caddymodule

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// receiptJSON is the answer to a payment.
type receiptJSON struct {
	ID       wallet.OpID `json:"id"`
	Outcome  string      `json:"outcome"` // paid, visit, granted
	Wallet   string      `json:"wallet"`
	Offer    string      `json:"offer"`
	Rule     string      `json:"rule"`
	Path     string      `json:"path"`
	Charged  moneyJSON   `json:"charged"`
	Balance  moneyJSON   `json:"balance"`
	Visits   int         `json:"visits"`
	Until    *time.Time  `json:"until,omitempty"` // end of the grant, or of the visits
	Location string      `json:"location,omitempty"`
}

// order is what a payment is for.
type order struct {
	quote meter.Quote
	offer meter.Offer
	id    wallet.OpID
}

// pay serves POST /.paywall/pay: a quote and an offer, or a path and an offer.
func (c *call) pay() error {
	held, err := c.mustHolder()
	if err != nil {
		return err
	}
	o, err := c.order(held.ID)
	if err != nil {
		return err
	}
	if c.fields.Return == "" {
		c.fields.Return = o.quote.Return // also for the page of what goes wrong below
	}
	receipt, err := c.take(o, *held)
	if p := (problem{}); errors.As(err, &p) && p.status == http.StatusPaymentRequired {
		namePrice(c.w.Header(), c.app.currency.Price(cmp.Or(o.offer.Price, o.quote.Rule.Lead().Price)))
	}
	if err != nil {
		return err
	}
	if receipt.Outcome == wallet.Applied {
		c.app.stamp(c.w.Header(), receipt)
		collectors.charged.WithLabelValues(o.quote.Rule.Name, c.app.currency.String()).Add(units(receipt.Amount))
	}
	notice := ""
	if receipt.Outcome == wallet.Granted {
		notice = page.PaidAlready
	}
	return c.done(http.StatusOK, c.receipt(o, receipt, held.ID), c.back(), notice)
}

// take takes the money for an order, or says why it cannot.
func (c *call) take(o order, held wallet.Wallet) (wallet.Receipt, error) {
	if limit := c.cred.MaxPrice; limit > 0 && o.offer.Price > limit {
		return wallet.Receipt{}, c.app.tooDear(limit, o.offer.Price)
	}
	if err := c.app.mayUndo(c.r, held.ID); err != nil {
		return wallet.Receipt{}, err
	}
	receipt, err := c.buy(o, held.Generation, held.ID)
	if err != nil {
		c.app.logger.Error("taking a payment: " + err.Error())
		return receipt, errUncertain
	}
	if !receipt.Outcome.Done() && receipt.Outcome != wallet.Granted {
		return receipt, refusalOf(receipt.Outcome)
	}
	return receipt, nil
}

// order reads what shall be paid for.
func (c *call) order(id wallet.WalletID) (o order, err error) {
	f := c.fields
	switch {
	case f.Quote != "" && f.Path != "":
		return o, badRequest("send a quote, or a path, not both")
	case f.Quote != "":
		if o.quote, err = c.openQuote(); err != nil {
			return o, err
		}
	case f.Path != "":
		asked, err := c.quote(f.Path)
		if err != nil {
			return o, err
		}
		o.quote = meter.NewQuote(c.operation(), asked.rule, asked.resource, asked.back, c.app.now())
	default:
		return o, badRequest("send the quote of a 402, or a path and an offer")
	}
	name := f.Offer
	if name == "" {
		name = o.quote.Rule.Lead().Name
	}
	var sold bool
	if o.offer, sold = o.quote.Rule.Offer(name); !sold {
		if name != meter.OfferView {
			return o, badRequest("no such offer; the 402 and " + pricesPath + " list what is for sale")
		}
		o.offer.Name = name // views are not sold singly, but a visit bought before will do
	}
	o.id = o.quote.PaymentID(id, o.offer.Name)
	return o, nil
}

func (c *call) openQuote() (meter.Quote, error) {
	q, err := meter.OpenQuote(c.keys.quotes, c.fields.Quote, c.app.now())
	if errors.Is(err, meter.ErrQuoteExpired) {
		c.fields.Return = q.Return
		return q, problem{status: http.StatusConflict, key: page.QuoteExpired}
	}
	if err != nil {
		return q, problem{status: http.StatusBadRequest, key: page.QuoteInvalid}
	}
	return q, nil
}

// buy takes the money. A single view is paid ahead: whether the page exists
// turns out when it is read, and if it does not the money goes back.
func (c *call) buy(o order, generation uint32, id wallet.WalletID) (wallet.Receipt, error) {
	rule := o.quote.Rule
	if o.offer.Visits > 0 {
		return c.ledger.Buy(c.r.Context(), wallet.Purchase{
			ID: o.id, Wallet: id, Generation: generation, Rule: rule.Name,
			Price: o.offer.Price, Visits: o.offer.Visits, Validity: o.offer.Validity,
		})
	}
	return c.ledger.Charge(c.r.Context(), wallet.Charge{
		ID: o.id, Wallet: id, Generation: generation, Rule: rule.Name,
		Resource: o.quote.Resource, Price: o.offer.Price, Window: rule.Window, Ahead: true,
	})
}

func (c *call) receipt(o order, r wallet.Receipt, id wallet.WalletID) receiptJSON {
	_, path := meter.SplitResource(o.quote.Resource)
	answer := receiptJSON{
		ID: o.id, Outcome: string(paidOutcome(r)), Wallet: id.String(), Offer: o.offer.Name, Rule: o.quote.Rule.Name, Path: path,
		Charged: c.app.money(r.Amount), Balance: c.app.money(r.Balance), Visits: r.Visits, Location: o.quote.Return,
	}
	if r.Outcome == wallet.Granted {
		answer.Outcome = string(outcomeGranted)
	}
	if !r.Until.IsZero() {
		until := r.Until.UTC()
		answer.Until = &until
	}
	return answer
}
