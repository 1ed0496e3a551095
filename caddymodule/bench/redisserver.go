package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// redisServer is a redis-server of the benchmark's own, empty when it starts.
type redisServer struct {
	*process
	address string
	client  *goredis.Client
}

// redisDefaults is how every server runs. The AOF is not rewritten: that would
// come in some runs and not in others.
var redisDefaults = []string{
	"--bind", loopback, "--loglevel", "warning", "--save", "", "--maxmemory-policy", "noeviction",
	"--appendonly", "yes", "--auto-aof-rewrite-percentage", "0",
}

const (
	loopback = "127.0.0.1"

	// redisAnswersWithin is longer than counting the largest key takes.
	redisAnswersWithin = time.Minute
)

// launchRedis starts a server in dir and returns when it answers.
func launchRedis(ctx context.Context, dir, name string, settings ...string) (*redisServer, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	args := append([]string{"--port", port, "--dir", filepath.Join(dir, name+".home")}, redisDefaults...)
	s := &redisServer{address: address}
	if s.process, err = launch(dir, name, "", nil, "redis-server", append(args, settings...)...); err != nil {
		return nil, err
	}
	s.client = goredis.NewClient(&goredis.Options{
		Addr: address, ReadTimeout: redisAnswersWithin, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	if err := s.awake(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// awake returns when the server answers.
func (s *redisServer) awake(ctx context.Context) error {
	for deadline := time.Now().Add(startTimeout); ; {
		select {
		case <-s.exited:
			return s.broken(fmt.Errorf("ended: %v", s.cmd.ProcessState))
		case <-time.After(10 * time.Millisecond):
		}
		connection, err := net.Dial("tcp", s.address) // of a refusal the client would print a line
		if err == nil {
			_ = connection.Close()
			err = s.client.Ping(ctx).Err()
		}
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return s.broken(err)
		}
	}
}

// stop ends the server and returns when it is gone.
func (s *redisServer) stop() {
	_ = s.client.Close()
	s.process.stop()
}

// info is one number of INFO.
func (s *redisServer) info(ctx context.Context, section, name string) (int, error) {
	text, err := s.client.Info(ctx, section).Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name); found {
			value, _, _ = strings.Cut(strings.TrimSpace(value), ",")
			return strconv.Atoi(value)
		}
	}
	return 0, nil // a command that nobody has called
}

// flights is how many commands have carried questions of a ledger.
func (s *redisServer) flights(ctx context.Context) (int, error) {
	return s.info(ctx, "commandstats", "cmdstat_fcall:calls=")
}
