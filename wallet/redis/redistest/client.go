package redistest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// answerWithin is how long a server may take to answer: longer than any does
// that runs, so that only one that is stopped is given up.
const answerWithin = 10 * time.Second

// newClient is a client that says what happened at once: it never sends a
// command twice, and dials once.
func newClient(addr, password string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:            addr,
		Password:        password,
		MaxRetries:      -1,
		DialerRetries:   1,
		ReadTimeout:     answerWithin,
		DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	})
}

// Client is a client of the server's, which sends nothing twice. It is closed
// with the test.
func (s *Server) Client() *redis.Client { return s.client }

// Do sends one command and returns its answer.
func (s *Server) Do(args ...any) (any, error) {
	return s.client.Do(context.Background(), args...).Result()
}

// info is one field of the server's INFO.
func (s *Server) info(section, field string) (string, error) {
	text, err := s.client.Info(context.Background(), section).Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name == field {
			return value, nil
		}
	}
	return "", fmt.Errorf("INFO %s has no %s", section, field)
}
