package reader

import (
	"errors"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// ErrLies is a card that lay on its reader before that was watched. It may have paid before
// the program, the daemon or the cable came back, and has to be laid down anew.
var ErrLies = errors.New("the card lay there before the reader was watched")

// Settling is a sink for readers that tell of what lies on them whenever they are watched
// anew: a card that is told of within a time of its reader's being well is Unread, with
// ErrLies. Nobody pays again for a card that they have not touched.
func Settling(sink Sink, within time.Duration) Sink {
	return &settling{Sink: sink, within: within, well: make(map[string]time.Time)}
}

type settling struct {
	Sink
	within time.Duration

	mu   sync.Mutex
	well map[string]time.Time // since when, of the readers that are
}

// Health implements [Sink].
func (s *settling) Health(name string, fault error) {
	s.mu.Lock()
	if _, was := s.well[name]; fault != nil {
		delete(s.well, name)
	} else if !was {
		s.well[name] = time.Now()
	}
	s.mu.Unlock()
	s.Sink.Health(name, fault)
}

// Arrived implements [Sink].
func (s *settling) Arrived(name string, shown wire.Card, exchange card.Exchange) {
	s.mu.Lock()
	lay := time.Since(s.well[name]) < s.within
	s.mu.Unlock()
	if lay {
		s.Unread(name, ErrLies)
		return
	}
	s.Sink.Arrived(name, shown, exchange)
}
