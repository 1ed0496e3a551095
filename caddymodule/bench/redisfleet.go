package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// fleet is the servers of one ledger.
type fleet []*redisServer

func (f fleet) stop() {
	for _, s := range f {
		s.stop()
	}
}

func (f fleet) addresses() (all []string) {
	for _, s := range f {
		all = append(all, s.address)
	}
	return all
}

func (f fleet) processes() (all []*process) {
	for _, s := range f {
		all = append(all, s.process)
	}
	return all
}

func (f fleet) flights(ctx context.Context) (sum int, err error) {
	for _, s := range f {
		n, err := s.flights(ctx)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// launchFleet starts one server, or a Cluster of several.
func launchFleet(ctx context.Context, dir string, nodes int, settings ...string) (f fleet, err error) {
	defer func() {
		if err != nil {
			f.stop()
		}
	}()
	for n := range nodes {
		mine := settings
		if nodes > 1 {
			bus, err := freeAddress()
			if err != nil {
				return f, err
			}
			_, port, _ := net.SplitHostPort(bus)
			mine = append(mine[:len(mine):len(mine)], "--cluster-enabled", "yes", "--cluster-port", port)
		}
		s, err := launchRedis(ctx, dir, "redis"+strconv.Itoa(n+1), mine...)
		if err != nil {
			return f, err
		}
		f = append(f, s)
	}
	if nodes > 1 {
		return f, f.form(ctx)
	}
	return f, nil
}

// slots is the number of slots of every Redis Cluster.
const slots = 16384

// form makes one Cluster of the servers, which share the slots evenly.
func (f fleet) form(ctx context.Context) error {
	for i, s := range f {
		// Without an epoch of its own each, two would quarrel about their slots.
		if err := s.client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
			return err
		}
		if err := s.client.ClusterAddSlotsRange(ctx, slots*i/len(f), slots*(i+1)/len(f)-1).Err(); err != nil {
			return err
		}
	}
	for i, s := range f {
		for _, other := range f[:i] {
			if err := s.meet(ctx, other); err != nil {
				return err
			}
		}
	}
	for deadline := time.Now().Add(startTimeout); !f.formed(ctx); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("the nodes do not become a Redis Cluster")
		}
	}
	return nil
}

func (s *redisServer) meet(ctx context.Context, other *redisServer) error {
	bus, err := other.client.ConfigGet(ctx, "cluster-port").Result()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(other.address)
	if err != nil {
		return err
	}
	return s.client.Do(ctx, "CLUSTER", "MEET", loopback, port, bus["cluster-port"]).Err()
}

// formed reports whether every node takes requests for all slots and knows the others.
func (f fleet) formed(ctx context.Context) bool {
	for _, s := range f {
		text, err := s.client.ClusterInfo(ctx).Result()
		if err != nil {
			return false
		}
		for _, want := range []string{"state:ok", fmt.Sprint("slots_ok:", slots), fmt.Sprint("known_nodes:", len(f))} {
			if !strings.Contains(text, "cluster_"+want+"\r\n") {
				return false
			}
		}
	}
	return true
}
