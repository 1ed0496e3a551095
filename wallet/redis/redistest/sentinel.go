package redistest

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
)

// MasterName is what the Sentinels call the master they watch.
const MasterName = "money"

// Sentinels are three Sentinels that watch a master and its replicas. They take
// a master for down after half a second, and two of them decide. What goes wrong
// fails the test they were started for.
type Sentinels struct {
	// Nodes are the Sentinels' own processes.
	Nodes []*Server
	// Servers are the master and the replicas; the first began as the master.
	Servers []*Server

	t testing.TB
}

const (
	sentinels = 3
	quorum    = 2
)

// StartSentinel runs a master with so many replicas and the Sentinels, and
// returns when the replicas follow and the Sentinels know all of them and each
// other. The config is that of the servers.
func StartSentinel(t testing.TB, replicas int, config ...string) *Sentinels {
	t.Helper()
	config = replicated(config)
	master := Start(t, config...)
	s := &Sentinels{t: t, Servers: []*Server{master}}
	for range replicas {
		replica := Start(t, append(config[:len(config):len(config)],
			fmt.Sprintf("replicaof %s %d", loopback, master.port))...)
		s.Servers = append(s.Servers, replica)
	}
	// Only then do the Sentinels find the replicas at once.
	s.waitUntilServed(master)
	watch := watching(master)
	for range sentinels {
		node := startServer(t, t.TempDir(), watch, "--sentinel")
		// Sentinels hear of each other, and know whom to correct, four times
		// sooner than at their usual pace.
		if _, err := node.Do("SENTINEL", "DEBUG", "publish-period", 500, "info-period", 1000); err != nil {
			t.Fatalf("the pace of the Sentinel at %s: %v", node.addr, err)
		}
		s.Nodes = append(s.Nodes, node)
	}
	s.WaitUntilOK()
	return s
}

// watching is the configuration of a Sentinel.
func watching(master *Server) []string {
	config := []string{
		fmt.Sprintf("sentinel monitor %s %s %d %d", MasterName, loopback, master.port, quorum),
		"sentinel down-after-milliseconds " + MasterName + " 500",
		"sentinel failover-timeout " + MasterName + " 2000",
		"sentinel parallel-syncs " + MasterName + " 16",
	}
	if master.password != "" {
		config = append(config, fmt.Sprintf("sentinel auth-pass %s %s", MasterName, master.password))
	}
	return config
}

// Addrs are the addresses of the Sentinels.
func (s *Sentinels) Addrs() (addrs []string) {
	for _, node := range s.Nodes {
		addrs = append(addrs, node.addr)
	}
	return addrs
}

// Master is the server that a Sentinel says is the master.
func (s *Sentinels) Master() *Server {
	s.t.Helper()
	for _, node := range s.Nodes {
		if node.Pid() == 0 {
			continue
		}
		master, err := s.masterOf(node)
		if err != nil {
			s.t.Fatal(err)
		}
		return master
	}
	s.t.Fatal("no Sentinel runs")
	return nil
}

func (s *Sentinels) masterOf(node *Server) (*Server, error) {
	answer, err := node.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
	if err != nil {
		return nil, fmt.Errorf("the Sentinel at %s: %w", node.addr, err)
	}
	pair, ok := answer.([]any)
	if !ok || len(pair) != 2 {
		return nil, fmt.Errorf("the Sentinel at %s names the master %v", node.addr, answer)
	}
	addr := net.JoinHostPort(fmt.Sprint(pair[0]), fmt.Sprint(pair[1]))
	for _, server := range s.Servers {
		if server.addr == addr {
			return server, nil
		}
	}
	return nil, fmt.Errorf("the Sentinel at %s names a master that is none of the servers: %s", node.addr, addr)
}

// Replicas are the servers that run and are not the master.
func (s *Sentinels) Replicas() []*Server {
	s.t.Helper()
	return s.without(s.Master())
}

func (s *Sentinels) without(master *Server) (replicas []*Server) {
	for _, server := range s.Servers {
		if server != master && server.Pid() != 0 {
			replicas = append(replicas, server)
		}
	}
	return replicas
}

// waitUntilServed returns when all others receive what the master writes.
func (s *Sentinels) waitUntilServed(master *Server) {
	s.t.Helper()
	eventually(s.t, "the replicas follow the master", func() error { return s.served(master) })
}

// served says what is missing until then.
func (s *Sentinels) served(master *Server) error {
	if role, err := master.info("replication", "role"); err != nil || role != "master" {
		return objection(err, "the server at %s is a %q", master.addr, role)
	}
	replicas := s.without(master)
	for _, replica := range replicas {
		if err := replicates(replica, master); err != nil {
			return err
		}
	}
	return reaches(master, len(replicas))
}

// agreed says what is missing until a Sentinel knows this master, as well, all
// its replicas and the other Sentinels.
func (s *Sentinels) agreed(node, master *Server) error {
	if named, err := s.masterOf(node); err != nil || named != master {
		return objection(err, "the Sentinel at %s has another master", node.addr)
	}
	answer, err := node.Do("SENTINEL", "MASTER", MasterName)
	if err != nil {
		return err
	}
	state, ok := answer.(map[any]any)
	if !ok {
		return fmt.Errorf("the Sentinel at %s answers a %T", node.addr, answer)
	}
	for field, want := range map[string]string{
		"flags":               "master",
		"num-other-sentinels": strconv.Itoa(sentinels - 1),
		"num-slaves":          strconv.Itoa(len(s.Servers) - 1),
	} {
		if got := state[field]; got != want {
			return fmt.Errorf("the Sentinel at %s has %s %v, must be %s", node.addr, field, got, want)
		}
	}
	return nil
}

func (s *Sentinels) runningNodes() []*Server {
	return slices.DeleteFunc(slices.Clone(s.Nodes), func(node *Server) bool { return node.Pid() == 0 })
}
