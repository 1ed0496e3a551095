package redis

import (
	"errors"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// What only the engine hears of a question, beside the outcomes of package wallet;
// see library/10-books.lua.
const (
	outcomeKnown wallet.Outcome = iota + 20 // the id took effect before, at a position
	outcomeShort                            // this shard's part of an account does not do
	outcomeAgain                            // what the caller knew has changed
	outcomeGap                              // a parcel that is not the next one
)

// answer is what became of a question. Its form is that of answer in
// library/60-answer.lua.
type answer struct {
	outcome    wallet.Outcome
	flags      recordFlags
	balance    wallet.Amount
	amount     wallet.Amount
	visits     int
	until      int64
	position   uint64
	number     uint64
	generation uint32
	now        int64    // of the flight
	texts      []string // of the flight, numbered from one
}

const answerSize = 42

// class of a known id: as flags of outcomeKnown.
const classMoney = 2

func (a *answer) decode(b string) {
	at := func(from, n int) uint64 { return uintOf([]byte(b[from:from+n]), n) }
	a.outcome, a.flags = wallet.Outcome(b[0]), recordFlags(b[1])
	a.balance, a.amount = wallet.Amount(at(2, 7)), wallet.Amount(at(9, 7))
	a.visits, a.until = int(at(16, 3)), int64(at(19, 6))
	a.position, a.number, a.generation = at(25, 7), at(32, 7), uint32(at(39, 3))
}

// refusal is the receipt of an operation that has changed nothing.
func (a *answer) refusal() wallet.Receipt {
	o := a.outcome
	if o == outcomeShort {
		o = wallet.Insufficient
	}
	r := wallet.Receipt{Outcome: o, Balance: a.balance, Visits: a.visits}
	if o == wallet.Granted {
		r.Until = timeOf(a.until)
	}
	return r
}

// receipt is the receipt of an operation that has taken effect now.
func (a *answer) receipt(id wallet.OpID) wallet.Receipt {
	if a.outcome != wallet.Applied {
		return a.refusal()
	}
	return wallet.Receipt{
		Outcome: wallet.Applied, ID: id, Time: timeOf(a.now), Amount: a.amount, Balance: a.balance,
		Visit: a.flags&recordVisit != 0, Visits: a.visits, Until: timeOf(a.until), Generation: a.generation,
	}
}

// reply is what a flight brings back.
type reply struct {
	complete bool // else it has only brought to an end what was due, and must fly again
	written  bool // an entry of the journal
	now      int64
	sequence uint64 // of the journal's newest entry
	answers  string
	texts    []string
}

const replyHead = 14

var errReply = errors.New("the library's reply is not one")

func (r *reply) decode(from []any) error {
	if len(from) < 2 {
		return errReply
	}
	head, ok := from[0].(string)
	if !ok || len(head) != replyHead {
		return errReply
	}
	r.complete, r.written = head[0]&1 != 0, head[0]&2 != 0
	r.now, r.sequence = int64(uintOf([]byte(head[1:]), 6)), uintOf([]byte(head[7:]), 7)
	if r.answers, ok = from[1].(string); !ok {
		return errReply
	}
	for _, text := range from[2:] {
		s, ok := text.(string)
		if !ok {
			return errReply
		}
		r.texts = append(r.texts, s)
	}
	return nil
}

// answer is the n-th answer of the flight.
func (r *reply) answer(n int) answer {
	a := answer{now: r.now, texts: r.texts}
	a.decode(r.answers[n*answerSize:])
	return a
}
