package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A server that was killed while it wrote has half of a transaction at the end of its file.
// It starts without that half, but cuts the file inside the transaction and not before it
// (seen in Redis 7.0.15: aof.c takes care of a whole command at the end, and not of a part
// of one). What it appends from then on stands within that transaction: the start after the
// next carries out what nobody has ever seen, and the books are wrong.
//
// So a server that has started is not written to until it has written its file anew.

// errNotFresh is what a connection hears meanwhile. It begins as the error of a server that
// loads its data, which is as certain and passes as well.
var errNotFresh = errors.New("LOADING Redis writes its file anew, because it has just started")

const (
	freshPoll     = 10 * time.Millisecond
	freshPatience = 500 * time.Millisecond // of one connection; the next one goes on waiting
)

// freshen returns when the server at the other end has written its file anew since it
// started, and asks it to where it has not. A server without a file has none to write.
// One that lets nobody ask, as a managed service does, looks after its file itself.
func freshen(ctx context.Context, c *goredis.Conn) error {
	why := errNotFresh
	for deadline, asked := time.Now().Add(freshPatience), false; ; {
		said, err := persistenceOf(ctx, c)
		if isDenied(err) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case said["aof_enabled"] != "1", said.rewritten():
			return nil
		case !asked && !said.rewrites():
			err := c.BgRewriteAOF(ctx).Err()
			if isDenied(err) {
				return nil // the log has it from the promises
			}
			if asked = err == nil; !asked { // something else is written just now, or the system does not let it
				why = fmt.Errorf("%w: %w", errNotFresh, err)
			}
		}
		if time.Now().After(deadline) {
			return why
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(freshPoll):
		}
	}
}

// persistence is what a server says of its file.
type persistence map[string]string

func persistenceOf(ctx context.Context, c *goredis.Conn) (persistence, error) {
	text, err := c.Info(ctx, "persistence").Result()
	if err != nil {
		return nil, err
	}
	return persistence(infoFields(text)), nil
}

// rewritten reports whether the file has been written anew since the server started, and
// nothing is left of the old one.
func (p persistence) rewritten() bool {
	return p["aof_rewrites"] != "0" && p["aof_last_bgrewrite_status"] == "ok" && !p.rewrites()
}

func (p persistence) rewrites() bool {
	return p["aof_rewrite_in_progress"] != "0" || p["aof_rewrite_scheduled"] != "0"
}

// infoFields are the fields of an answer to INFO.
func infoFields(text string) map[string]string {
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields
}

// isDenied reports whether a server does not let this user ask, or does not know the
// question.
func isDenied(err error) bool {
	var refused goredis.Error
	return errors.As(err, &refused) && (strings.HasPrefix(refused.Error(), "NOPERM") || strings.HasPrefix(refused.Error(), "ERR unknown"))
}
