package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// read asks the shard's server for something that changes nothing, again and again
// until it answers, patience is over or ctx ends.
func (s *shard) read(ctx context.Context, do func(ctx context.Context, c *goredis.Client) error) error {
	l := s.ledger
	if err := l.refusal(); err != nil {
		return err
	}
	deadline := time.Now().Add(l.options.Patience)
	via := ""
	for n := 0; ; n++ {
		err := s.readOnce(ctx, via, do)
		if err == nil || errors.Is(err, goredis.Nil) {
			return nil
		}
		if ctx.Err() != nil {
			return unavailable(ctx.Err())
		}
		if errors.Is(err, wallet.ErrCorrupt) || time.Now().Add(pause(n)).After(deadline) {
			return unavailable(err)
		}
		r := classify(err)
		if via = r.ask; via != "" {
			continue
		}
		if r.moved {
			l.servers.cluster.ReloadState(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause(n)):
		}
	}
}

func (s *shard) readOnce(ctx context.Context, via string, do func(ctx context.Context, c *goredis.Client) error) error {
	c, err := s.client(ctx, via)
	if err != nil || via == "" {
		if err == nil {
			err = do(ctx, c)
		}
		return err
	}
	conn := c.Conn()
	defer conn.Close()
	if err := conn.Do(ctx, "asking").Err(); err != nil {
		return err
	}
	return errors.New("TRYAGAIN the slot is on its way to another server")
}

// entry is one of the journal's, undecoded.
type entry struct {
	sequence uint64
	tag      uint64
	text     string
}

// entries reads entries of the journal, both ends included, at most so many.
func (s *shard) entries(ctx context.Context, from, to uint64, most int64) (found []entry, err error) {
	err = s.read(ctx, func(ctx context.Context, c *goredis.Client) error {
		found = nil
		messages, err := c.XRangeN(ctx, s.fixed[keyJournal], strconv.FormatUint(from, 10), strconv.FormatUint(to, 10), most).Result()
		if err != nil {
			return err
		}
		for _, m := range messages {
			e, err := entryOf(m)
			if err != nil {
				return err
			}
			found = append(found, e)
		}
		return nil
	})
	return found, err
}

func entryOf(m goredis.XMessage) (e entry, err error) {
	sequence, tag, _ := strings.Cut(m.ID, "-")
	if e.sequence, err = strconv.ParseUint(sequence, 10, 64); err == nil {
		e.tag, err = strconv.ParseUint(tag, 10, 64)
	}
	text, ok := m.Values["r"].(string)
	if err != nil || !ok {
		return e, fmt.Errorf("%w: the journal has an entry that is none: %s", wallet.ErrCorrupt, m.ID)
	}
	e.text = text
	return e, nil
}
