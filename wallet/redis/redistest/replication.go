package redistest

import (
	"fmt"
	"strconv"
	"strings"
)

// replicates says what is missing until a replica has everything of its master
// and goes on receiving.
func replicates(replica, master *Server) error {
	for field, want := range map[string]string{
		"role":               "slave",
		"master_port":        strconv.Itoa(master.port),
		"master_link_status": "up",
	} {
		if got, err := replica.info("replication", field); err != nil || got != want {
			return fmt.Errorf("the replica at %s has %s %q, must be %q: %v", replica.addr, field, got, want, err)
		}
	}
	return nil
}

// isMasterOrFollows says what is missing until a server, if it is a replica,
// follows the master it has.
func isMasterOrFollows(s *Server) error {
	role, err := s.info("replication", "role")
	if err != nil || role == "master" {
		return err
	}
	if link, err := s.info("replication", "master_link_status"); err != nil || link != "up" {
		return fmt.Errorf("the replica at %s has its link to the master %q: %v", s.addr, link, err)
	}
	return nil
}

// hasReplicas says what is missing until a master sends to so many replicas.
func hasReplicas(master *Server, count int) error {
	for i := range count {
		field := fmt.Sprintf("slave%d", i)
		got, err := master.info("replication", field)
		if err != nil || !strings.Contains(got, "state=online") {
			return fmt.Errorf("the master at %s has %s %q, must be online: %v", master.addr, field, got, err)
		}
	}
	return nil
}
