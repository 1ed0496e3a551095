package redis

import (
	"context"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// quiet silences the client library, which writes to the process's standard error. What
// it has to say the ledger hears as an error, and tells its own log.
var quiet = sync.OnceFunc(func() { goredis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
