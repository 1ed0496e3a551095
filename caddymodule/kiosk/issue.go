package kiosk

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/issue"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ErrNotIssuer is a kiosk that asks for what issuing kiosks alone may.
var ErrNotIssuer = errors.New("this kiosk may not issue cards: the operator enrols one for it with --issuer")

// issued is what the paywall knows of a card that it has personalised or made blank: which
// keys it has, or gets next. After each reset they are others, because a card that is made
// again begins to count anew, and what its old self has signed must not be worth anything
// then.
type issued struct {
	Version uint32 `json:"version"`
	Made    bool   `json:"made,omitempty"` // it is personalised
}

const issuedPrefix = "issued:"

func (c *Cashier) issuedOf(ctx context.Context, hash uid.Hash) (one issued, put wallet.OpID, err error) {
	one, put, err = load[issued](ctx, c, issuedPrefix+hex.EncodeToString(hash[:]))
	if errors.Is(err, wallet.ErrNotFound) {
		return issued{Version: keyVersion}, wallet.OpID{}, nil
	}
	return one, put, err
}

// versionOf is the version of the keys of a card that no wallet has.
func (c *Cashier) versionOf(ctx context.Context, hash uid.Hash) (uint32, wallet.OpID, error) {
	one, put, err := c.issuedOf(ctx, hash)
	return one.Version, put, err
}

// errOwned is a card that pays from a wallet. A kiosk that has become a thief's could have it
// given its keys otherwise, by playing a blank card of the same number.
var errOwned = errors.New("the card belongs to a wallet: its holder removes it from there first")

// issuing is a run with a card so far; see dialog.
type issuing struct {
	ID      wallet.OpID `json:"i"`
	Expires int64       `json:"x"` // milliseconds since 1970
	Task    wire.Task   `json:"t"`
	Kind    card.Kind   `json:"k"`
	UID     wire.Hex    `json:"u"`
	Version uint32      `json:"v"` // of the keys
	Seed    [32]byte    `json:"s"`
	Answers []wire.Hex  `json:"a,omitempty"`
}

const issueSeal = "issue "

// Issue goes on with a card at an issuing kiosk: it returns the next command, or that the
// card is done, or why it is not. address is what the card is to show to phones. Whoever
// issues cards could learn their keys, by playing the card: so it is for kiosks that the
// operator has enrolled for it, and not for cards that a wallet has. ErrNotIssuer, ErrCode,
// ErrInvalid.
func (c *Cashier) Issue(ctx context.Context, k Kiosk, asked wire.Issue, address string) (wire.Issued, error) {
	answer := wire.Issued{ID: asked.ID, Outcome: wire.Refused}
	number, hash, err := c.toIssue(ctx, k, asked)
	if errors.Is(err, errOwned) {
		answer.Problem = err.Error()
		return answer, nil
	}
	if err != nil {
		return answer, err
	}
	before, put, err := c.issuedOf(ctx, hash)
	if err != nil {
		return answer, err
	}
	run, err := c.resumeIssuing(k, asked, before.Version)
	if err != nil {
		return answer, err
	}
	made := issue.Card{Kind: run.Kind, UID: number, Keys: card.Bolt(c.Keys.Cards, number, run.Version), URL: address}
	switch command, err := run.next(made); {
	case command != nil:
		answer.Outcome = wire.Asked
		answer.Ask, err = c.askCard(k, run, command)
		return answer, err
	case err != nil: // of the card: it has no secret in it
		answer.Problem = err.Error()
		c.note(k, noteCard, string(run.Task)+" refused")
		return answer, nil
	}
	answer.Outcome = wire.Done
	c.note(k, noteCard, string(run.Task)+" done")
	return answer, c.isIssued(ctx, hash, put, before, run.Task)
}

// next is the command whose answer is missing, or how the run has ended.
func (run issuing) next(made issue.Card) (command []byte, err error) {
	return replay(run.Seed, run.Answers, func(random io.Reader, exchange card.Exchange) error {
		if run.Task == wire.Reset {
			return issue.Reset(made, random, exchange)
		}
		return issue.Personalise(made, random, exchange)
	})
}

// isIssued writes down what a card has become.
func (c *Cashier) isIssued(ctx context.Context, hash uid.Hash, put wallet.OpID, before issued, task wire.Task) error {
	after := issued{Version: before.Version, Made: true}
	if task == wire.Reset {
		after = issued{Version: before.Version + 1}
	}
	if after == before {
		return nil
	}
	err := c.save(ctx, issuedPrefix+hex.EncodeToString(hash[:]), put, after)
	if errors.Is(err, errChanged) { // the same answer has come twice
		err = nil
	}
	return err
}

// noteCard is the product that a kiosk's notes have of a card that was issued.
const noteCard = "card"

// toIssue is the card of a request, if the kiosk may issue it.
func (c *Cashier) toIssue(ctx context.Context, k Kiosk, asked wire.Issue) (number card.UID, hash uid.Hash, err error) {
	shown, err := uid.New(asked.UID)
	switch {
	case !k.Issuer:
		return number, hash, ErrNotIssuer
	case asked.ID == wallet.OpID{}:
		return number, hash, fmt.Errorf("%w: a run with a card has an id", ErrInvalid)
	case err != nil || len(asked.UID) != len(number) || shown.Random():
		return number, hash, fmt.Errorf("%w: a card that is issued has a number of %d bytes for life", ErrInvalid, len(number))
	case asked.Task != wire.Personalise && asked.Task != wire.Reset:
		return number, hash, fmt.Errorf("%w: there is no task %.20q", ErrInvalid, string(asked.Task))
	case !slices.Contains(card.Kinds, asked.Kind):
		return number, hash, fmt.Errorf("%w: there is no kind of card %.20q", ErrInvalid, string(asked.Kind))
	}
	if hash, err = shown.Hash(c.Keys.UIDs); err != nil {
		return number, hash, err
	}
	switch _, _, err = load[Card](ctx, c, registerOf(hash)); {
	case err == nil:
		err = errOwned
	case errors.Is(err, wallet.ErrNotFound):
		err = nil
	}
	return card.UID(asked.UID), hash, err
}

// resumeIssuing takes up a run, or begins one. One of a card that has been made blank since
// is none any more.
func (c *Cashier) resumeIssuing(k Kiosk, asked wire.Issue, version uint32) (run issuing, err error) {
	if asked.Answer == nil {
		run = issuing{
			ID: asked.ID, Expires: c.Now().Add(dialogLife).UnixMilli(), Task: asked.Task, Kind: asked.Kind, UID: asked.UID, Version: version,
		}
		_, err = io.ReadFull(c.Random, run.Seed[:])
		return run, err
	}
	text, err := c.openLong(asked.Answer.State, issueSeal+k.Name, mostDialog)
	if err != nil {
		return run, err
	}
	if json.Unmarshal(text, &run) != nil || run.Expires <= c.Now().UnixMilli() || run.ID != asked.ID || run.Task != asked.Task ||
		run.Kind != asked.Kind || !slices.Equal(run.UID, asked.UID) || run.Version != version {
		return run, ErrCode
	}
	run.Answers = append(run.Answers, asked.Answer.Card)
	return run, nil
}

func (c *Cashier) askCard(k Kiosk, run issuing, command []byte) (*wire.Ask, error) {
	text, err := json.Marshal(run)
	return &wire.Ask{State: c.seal(text, issueSeal+k.Name), Command: command}, err
}
