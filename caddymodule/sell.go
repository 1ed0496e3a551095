package caddymodule

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// holdTTL is how long a price stays set aside for a method with side effects:
// longer than an upstream may take to its header.
const holdTTL = 10 * time.Minute

// action is what is done with a request for a priced page.
type action uint8

const (
	challenge   action = iota // answer 402
	refuse                    // answer the problem
	read                      // paid for already: let it through
	chargeAfter               // let it through, charge at the commit point
	holdBefore                // set the price aside, let it through, capture at the commit point
)

// sale is one request for a priced page, from the question to the settlement.
type sale struct {
	ask
	r        *http.Request
	keys     *keys
	ledger   lease
	wallet   wallet.WalletID // whose; zero: nobody's, or a reader's without a wallet
	cred     *credential     // nil: nobody's, or the receipt was enough
	standing wallet.Standing
	hold     wallet.OpID // zero: nothing is held
	charge   wallet.OpID // the id that the charge has, or would have; zero: there is none
	paid     bool        // charged in this exchange
	outcome  outcome
}

// sell answers a request for a priced page.
func sell(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler, asked ask) (err error) {
	s := &sale{ask: asked, r: r}
	s.describe()
	if s.keys, err = s.app.open(); err != nil {
		return s.reply(w, s.app.down("opening the paywall", err))
	}
	if s.receipted() {
		return s.read(w, next, s.settleReceipt)
	}
	if s.ledger, err = s.app.lease(); err != nil {
		return s.reply(w, s.app.down("opening the ledger", err))
	}
	defer s.ledger.release()
	if settle, err := s.byCard(); err != nil {
		return s.reply(w, err)
	} else if settle != nil {
		return s.read(w, next, settle)
	}
	if err := s.identify(); err != nil {
		return s.reply(w, err)
	}
	switch act, why := s.decide(); act {
	case read:
		return s.read(w, next, s.settleRead)
	case chargeAfter:
		return s.deliver(w, next, s.settleCharge)
	case holdBefore:
		if err := s.setAside(); err != nil {
			return s.reply(w, err)
		}
		return s.deliver(w, next, s.settleHold)
	case refuse:
		return s.reply(w, why)
	default:
		s.challenge(w, why)
		return nil
	}
}

// identify finds out who asks and what the ledger says of them.
func (s *sale) identify() (err error) {
	if s.cred, err = s.app.credentialOf(s.keys, s.r); err != nil || s.cred == nil {
		return err
	}
	q := wallet.StandingQuery{Wallet: s.cred.Wallet, Generation: s.cred.Generation, Rule: s.rule.Name, Resource: s.resource}
	if s.foresees(q) {
		s.wallet = s.cred.Wallet
		return nil
	}
	if s.standing, err = s.ledger.Standing(s.settling(), q); err != nil {
		return s.app.down("asking the ledger", err)
	}
	if c := s.standing.Credential; !s.cred.bearer && (c == wallet.Revoked || c == wallet.NotFound) {
		s.cred = nil // a cookie that opens nothing any more
		return nil
	}
	s.wallet = s.cred.Wallet
	return nil
}

// foresees reports whether the sale goes on with a guess of the standing: where a token
// pays the price of a view, and no pass could, so that the charge at the commit point
// comes to the same whatever the ledger would have said. It saves a question to a ledger
// that is elsewhere; an upstream may work for a wallet that has just been emptied.
func (s *sale) foresees(q wallet.StandingQuery) (is bool) {
	price := s.rule.Price
	if !s.cred.bearer || s.Bundle != nil || price == 0 || s.cred.MaxPrice > 0 && price > s.cred.MaxPrice ||
		intentOf(s.r) != mayPay || earlyData(s.r) {
		return false
	}
	guess, is := s.ledger.foresee(q)
	if is = is && guess.Available >= price; is {
		s.standing = guess
	}
	return is
}

// decide says what to do, from what is known. why is the problem to answer or,
// with a challenge, what stands in the way; nil where nothing but consent does.
func (s *sale) decide() (act action, why error) {
	if s.cred == nil {
		return challenge, nil
	}
	if c := s.standing.Credential; c == wallet.Revoked || c == wallet.NotFound {
		return refuse, refusalOf(c)
	}
	asked := intentOf(s.r)
	switch {
	case !s.standing.GrantedUntil.IsZero():
		return read, nil
	case asked == neverPays:
		return challenge, nil
	case s.standing.Credential == wallet.Frozen && s.cred.bearer:
		return refuse, refusalOf(wallet.Frozen)
	case s.standing.Credential == wallet.Frozen:
		return challenge, refusalOf(wallet.Frozen)
	}
	act, why = s.afford(asked)
	switch {
	case act == challenge || !earlyData(s.r):
		return act, why
	case s.cred.bearer:
		return refuse, problem{
			status: http.StatusTooEarly, key: page.BadRequest, detail: "nothing is paid for in early data; send it again",
		}
	}
	return challenge, nil // browsers show a 425 to the reader instead of asking again
}

// afford is the part of decide that is about money. A reader means to pay by
// the button, or has bought visits; a bearer means to pay by sending the token.
func (s *sale) afford(asked intent) (act action, why error) {
	price := s.rule.Price
	switch {
	case s.standing.Visits > 0 && (s.cred.bearer || asked == mayPay && navigation(s.r.Header)):
		return chargeAfter, nil
	case !s.cred.bearer || price == 0:
		return challenge, nil
	case s.cred.MaxPrice > 0 && price > s.cred.MaxPrice:
		return challenge, s.app.tooDear(s.cred.MaxPrice, price)
	case s.standing.Available < price:
		return challenge, refusalOf(wallet.Insufficient)
	case asked == holdFirst:
		return holdBefore, nil
	}
	return chargeAfter, nil
}

// settling is the context of a settlement.
func (s *sale) settling() context.Context { return s.app.patience.context(s.app.now()) }

// newID draws the id of an operation.
func (a *App) newID() wallet.OpID {
	id, err := wallet.NewOpID(a.now(), a.random)
	if err != nil {
		panic("paywall: no random numbers: " + err.Error()) // crypto/rand never fails
	}
	return id
}

// down logs that the ledger or the keys cannot be used, and is what the client
// is told. A client that has left is no fault of theirs.
func (a *App) down(doing string, err error) error {
	if !errors.Is(err, context.Canceled) {
		a.complain(doing, err)
	}
	return errUnavailable
}
