package redistest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// replicates says what is missing until a replica is connected with its master.
func replicates(replica, master *Server) error {
	for field, want := range map[string]string{
		"role":               "slave",
		"master_port":        strconv.Itoa(master.port),
		"master_link_status": "up",
	} {
		if got, err := replica.info("replication", field); err != nil || got != want {
			return objection(err, "the replica at %s has %s %q, must be %q", replica.addr, field, got, want)
		}
	}
	return nil
}

// reaches says what is missing until what a master writes is received by so many
// replicas. That they are online is not enough: after a replica has loaded its
// master's data it can take a second until it receives what comes after, and a
// replica that is made the master in that second has lost it. Only a write that
// arrives is a proof, and a message to nobody takes the way of writes without
// being one.
func reaches(master *Server, replicas int) error {
	if replicas == 0 {
		return nil
	}
	ctx := context.Background()
	const atOnce = 200 // milliseconds
	var received *redis.Cmd
	// WAIT is about its own connection, and a pipeline is on one.
	_, err := master.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Publish(ctx, "redistest", "does this arrive?")
		received = p.Do(ctx, "WAIT", replicas, atOnce)
		return nil
	})
	if n, _ := received.Int(); err != nil || n < replicas {
		return objection(err, "what the master at %s writes is received by %d replicas of %d", master.addr, n, replicas)
	}
	return nil
}

// settled says what is missing until a server, if it is a replica, follows its
// master, and if it is a master, reaches its replicas.
func settled(s *Server) error {
	role, err := s.info("replication", "role")
	if err != nil {
		return err
	}
	if role == "master" {
		connected, err := s.info("replication", "connected_slaves")
		if err != nil {
			return err
		}
		replicas, err := strconv.Atoi(connected)
		if err != nil {
			return err
		}
		return reaches(s, replicas)
	}
	if link, err := s.info("replication", "master_link_status"); err != nil || link != "up" {
		return objection(err, "the replica at %s has its link to the master %q", s.addr, link)
	}
	return nil
}

// objection is what is wrong, and the error that may be the reason.
func objection(err error, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return fmt.Errorf("%s", text)
}
