package redistest

import (
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
)

// failoverClient finds the master as a user's client does.
func failoverClient(t *testing.T, s *Sentinels, password string) *redis.Client {
	t.Helper()
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: MasterName, SentinelAddrs: s.Addrs(), Password: password,
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestSentinelsMakeAReplicaTheMasterOnDemand(t *testing.T) {
	t.Parallel()
	s := StartSentinel(t, 2, "requirepass secret")
	old := s.Master()
	if old != s.Servers[0] || len(s.Replicas()) != 2 || len(s.Addrs()) != 3 {
		t.Fatalf("the master is at %s, with %d replicas and %d Sentinels", old.Addr(), len(s.Replicas()), len(s.Addrs()))
	}
	client := failoverClient(t, s, "secret")
	if err := client.Set(t.Context(), "balance", "12.00", 0).Err(); err != nil {
		t.Fatal(err)
	}
	master := s.Failover()
	if master == old || s.Master() != master || !slices.Contains(s.Replicas(), old) {
		t.Errorf("the master was at %s and is at %s", old.Addr(), master.Addr())
	}
	if got := ask(t, master, "GET", "balance"); got != "12.00" {
		t.Errorf("the new master has %v", got)
	}
	if got := ask(t, old, "ROLE").([]any)[0]; got != "slave" {
		t.Errorf("the old master is a %v", got)
	}
}

func TestSentinelsReplaceAKilledMasterWhichComesBackAsAReplica(t *testing.T) {
	t.Parallel()
	s := StartSentinel(t, 1)
	client := failoverClient(t, s, "")
	if err := client.Set(t.Context(), "balance", "12.00", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Master().Client().Wait(t.Context(), 1, patience).Err(); err != nil {
		t.Fatal(err)
	}
	killed := s.KillMaster()
	master := s.Master()
	if master == killed || len(s.Replicas()) != 0 {
		t.Errorf("the master is at %s with %d replicas", master.Addr(), len(s.Replicas()))
	}
	eventually(t, "a client finds the new master", func() error {
		return client.Set(t.Context(), "balance", "11.90", 0).Err()
	})
	killed.Restart()
	s.WaitUntilOK()
	if got := s.Replicas(); len(got) != 1 || got[0] != killed || s.Master() != master {
		t.Errorf("the master is at %s", s.Master().Addr())
	}
	if got := ask(t, killed, "GET", "balance"); got != "11.90" {
		t.Errorf("the old master has %v", got)
	}
}
