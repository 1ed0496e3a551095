package kiosk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ErrRecord is a record that the kiosk has not signed, or a chain of them with one missing,
// put in or told otherwise before. Nothing of it is settled: the operator has to look.
var ErrRecord = errors.New("the kiosk's records of offline taps are not whole")

const (
	chainPrefix = "chain:"
	mostFlags   = 8
)

// chain is how far a kiosk's records are settled.
type chain struct {
	Key    []byte   `json:"key"` // whose they are: one that is enrolled anew begins anew
	Seq    uint64   `json:"seq"`
	Hash   []byte   `json:"hash,omitempty"`
	Recent []recent `json:"recent,omitempty"` // the newest, the last one last
	Flags  []Flag   `json:"flags,omitempty"`
}

// recent is a record that is settled, should it be sent again.
type recent struct {
	Hash    []byte       `json:"h"` // the beginning of it
	Outcome wire.Outcome `json:"o"`
}

const recentHash = 12 // bytes

// Flag is something about a kiosk's offline taps that the operator has to know.
type Flag struct {
	Time int64  `json:"t"` // milliseconds since 1970
	Tap  string `json:"tap,omitempty"`
	What string `json:"what"`
}

func (ch chain) head() wire.Head { return wire.Head{Seq: ch.Seq, Hash: ch.Hash} }

func (ch *chain) flag(f Flag) {
	ch.Flags = append(ch.Flags, f)
	ch.Flags = ch.Flags[max(0, len(ch.Flags)-mostFlags):]
}

// of is the chain of a kiosk's key.
func (ch chain) of(k Kiosk) chain {
	if !bytes.Equal(ch.Key, k.Key) {
		return chain{Key: k.Key, Flags: ch.Flags}
	}
	return ch
}

func (c *Cashier) chain(ctx context.Context, k Kiosk) (chain, error) {
	ch, _, err := load[chain](ctx, c, chainPrefix+k.Name)
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil
	}
	return ch.of(k), err
}

// Flags are what the operator has to know of a kiosk's offline taps, the newest last.
func (c *Cashier) Flags(ctx context.Context, kiosk string) ([]Flag, error) {
	ch, _, err := load[chain](ctx, c, chainPrefix+kiosk)
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil
	}
	return ch.Flags, err
}

// signed is a record of which the signature has been verified.
type signed struct {
	wire.Record
	head     wire.Head
	reversed bool
}

// Sync settles records, each once, in their order: what was spent of leases is taken from
// them, the rest from the wallets, and what those do not have is owed. A tap that the paywall
// may have been asked for before is void from then on. After an error the kiosk sends the
// same again. ErrRecord.
func (c *Cashier) Sync(ctx context.Context, k Kiosk, s wire.Sync) (wire.Synced, error) {
	if len(s.Records) > wire.MaxRecords {
		return wire.Synced{}, fmt.Errorf("%w: %d records, and at most %d at a time", ErrInvalid, len(s.Records), wire.MaxRecords)
	}
	records, err := c.verified(ctx, k, s)
	if err != nil {
		return wire.Synced{}, err
	}
	answer := wire.Synced{Outcomes: make([]wire.Outcome, len(records))}
	for i, r := range records {
		if answer.Outcomes[i], err = c.settled(ctx, k, r); err != nil {
			return wire.Synced{}, err
		}
	}
	if err := c.closeLeases(ctx, k, records, answer.Outcomes); err != nil {
		return wire.Synced{}, err
	}
	ch, err := c.chain(ctx, k)
	answer.Head = ch.head()
	return answer, err
}

// verified are the records that a kiosk has signed, which follow each other.
func (c *Cashier) verified(ctx context.Context, k Kiosk, s wire.Sync) ([]signed, error) {
	records := make([]signed, 0, len(s.Records))
	for i, text := range s.Records {
		r, reversed, err := text.Verify(k.Key)
		if err != nil {
			return nil, c.broken(ctx, k, wallet.OpID{}, "a record is not the kiosk's, or was altered")
		}
		if i > 0 && !r.Follows(records[i-1].head) {
			return nil, c.broken(ctx, k, r.Tap, "a record does not follow the one before it")
		}
		records = append(records, signed{r, text.Head(r), reversed})
	}
	return records, nil
}

// broken flags the kiosk, and is the error that it is told.
func (c *Cashier) broken(ctx context.Context, k Kiosk, tap wallet.OpID, why string) error {
	f := Flag{Time: c.Now().UnixMilli(), What: why}
	if tap != (wallet.OpID{}) {
		f.Tap = tap.String()
	}
	_, err := upsert(ctx, c, chainPrefix+k.Name, func(ch *chain) error {
		*ch = ch.of(k)
		if n := len(ch.Flags); n > 0 && ch.Flags[n-1].What == f.What && ch.Flags[n-1].Tap == f.Tap {
			return errKeep // it is sent again and again
		}
		ch.flag(f)
		return nil
	})
	return errors.Join(fmt.Errorf("%w: %s", ErrRecord, why), err)
}

// settled settles one record, or says what came of it before.
func (c *Cashier) settled(ctx context.Context, k Kiosk, r signed) (wire.Outcome, error) {
	for range tries {
		ch, err := c.chain(ctx, k)
		if err != nil {
			return "", err
		}
		if outcome, known, err := c.known(ctx, k, ch, r); known || err != nil {
			return outcome, err
		}
		outcome, flag, err := c.settle(ctx, k, r)
		switch {
		case errors.Is(err, errSettled):
			continue
		case err != nil:
			return "", err
		}
		return outcome, c.advance(ctx, k, r, outcome, flag)
	}
	return "", ErrBusy
}

func (c *Cashier) known(ctx context.Context, k Kiosk, ch chain, r signed) (outcome wire.Outcome, known bool, err error) {
	switch at := int64(len(ch.Recent)) - 1 - int64(ch.Seq-r.Seq); {
	case r.Seq > ch.Seq && !r.Follows(ch.head()):
		return "", false, c.broken(ctx, k, r.Tap, "a record is missing before this one")
	case r.Seq > ch.Seq:
		return "", false, nil
	case at < 0 || !bytes.Equal(ch.Recent[at].Hash, r.head.Hash[:recentHash]):
		return "", false, c.broken(ctx, k, r.Tap, "another record had this one's place: the kiosk's state is an old one, or a copy")
	default:
		return ch.Recent[at].Outcome, true, nil
	}
}

// advance notes that a record is settled.
func (c *Cashier) advance(ctx context.Context, k Kiosk, r signed, outcome wire.Outcome, flag string) error {
	_, err := upsert(ctx, c, chainPrefix+k.Name, func(ch *chain) error {
		*ch = ch.of(k)
		if ch.Seq >= r.Seq {
			return errKeep // by the same request, sent twice
		}
		ch.Seq, ch.Hash = r.Seq, r.head.Hash
		ch.Recent = append(ch.Recent, recent{r.head.Hash[:recentHash], outcome})
		ch.Recent = slices.Clone(ch.Recent[max(0, len(ch.Recent)-wire.MaxRecords):])
		if flag != "" {
			ch.flag(Flag{c.Now().UnixMilli(), r.Tap.String(), flag})
		}
		return nil
	})
	if err == nil {
		c.noteEnd(k, r.Product, string(outcome))
	}
	return err
}

// closeLeases takes what the records have spent of leases, once all of it is counted.
func (c *Cashier) closeLeases(ctx context.Context, k Kiosk, records []signed, outcomes []wire.Outcome) error {
	closed := make(map[wallet.OpID]bool)
	for _, r := range records {
		if r.Lease == (wallet.OpID{}) || closed[r.Lease] {
			continue
		}
		closed[r.Lease] = true
		s, err := c.closeLease(ctx, k, r.Handle, r.Lease)
		if err == nil {
			_, _, err = load[due](ctx, c, due{ID: r.Lease, Wallet: s.Wallet}.register())
		}
		switch {
		case errors.Is(err, wallet.ErrNotFound): // it owes nothing, or is nobody's handle
			continue
		case err != nil:
			return err
		}
		for i, other := range records {
			if other.Lease == r.Lease && outcomes[i] == wire.Settled {
				outcomes[i] = wire.Owed
			}
		}
	}
	return nil
}
