package redistest

import "fmt"

// Failover has the Sentinels make a replica the master, while the master runs,
// and returns the new one once the old one follows it.
func (s *Sentinels) Failover() *Server {
	s.t.Helper()
	old := s.Master()
	// The Sentinels refuse while the last failover is not over, or before they
	// have asked the replicas how they are.
	eventually(s.t, "a Sentinel begins a failover", func() error {
		_, err := s.runningNodes()[0].Do("SENTINEL", "FAILOVER", MasterName)
		return err
	})
	return s.waitForMaster(old)
}

// KillMaster kills the master and returns it once another one has taken its
// place.
func (s *Sentinels) KillMaster() (killed *Server) {
	s.t.Helper()
	killed = s.Master()
	killed.Kill()
	s.waitForMaster(killed)
	return killed
}

// WaitUntilOK returns when all Sentinels that run name the same master, and all
// servers that run follow it. A master that comes back after another has taken
// its place takes some seconds.
func (s *Sentinels) WaitUntilOK() {
	s.t.Helper()
	s.waitForMaster(nil)
}

// waitForMaster returns the master when all agree and it is not old.
func (s *Sentinels) waitForMaster(old *Server) (master *Server) {
	s.t.Helper()
	eventually(s.t, "the Sentinels have a master and all follow it", func() error {
		master = s.Master()
		if master == old || master.Pid() == 0 {
			return fmt.Errorf("the master is still that at %s", master.addr)
		}
		for _, node := range s.runningNodes() {
			if err := s.agreed(node, master); err != nil {
				return err
			}
		}
		return s.served(master)
	})
	return master
}
