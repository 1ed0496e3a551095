package redis

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// schedules are all that there are, in the order of the table. What needs root adds
// itself.
var schedules = []*schedule{
	killOfRedis, killOfAnInstance, killOfAProcess, lostAnswers, network, partition, scriptFlush, outOfMemory, readOnly,
	noFile, clocks, movingSlots, killOfANode, failover, lossyFailover, killOfAFastRedis,
}

// PAYWALL_CHAOS=1h runs all schedules in turn, each time with another seed, until the
// time is over, and prints what came of it. Without it one runs once, drawn by the seed:
// each has a short test of its own.
func TestChaosForALongTime(t *testing.T) {
	first := chaosSeed(t)
	t.Logf("PAYWALL_SEED=%d", first)
	random := rand.New(rand.NewPCG(first, 0))
	schedules, long := schedules, time.Duration(0)
	if text := os.Getenv("PAYWALL_CHAOS"); text == "" {
		schedules = []*schedule{schedules[random.IntN(len(schedules))]}
	} else {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	rows := make([]row, len(schedules))
	for until, begun := time.Now().Add(long), false; (!begun || time.Now().Before(until)) && !t.Failed(); begun = true {
		for i, s := range schedules {
			seed := random.Uint64()
			t.Run(fmt.Sprintf("%s/PAYWALL_SEED=%d", s.fault, seed), func(t *testing.T) {
				result := runSchedule(t, s, seed)
				rows[i].add(seed, &result)
				t.Log(result)
			})
		}
	}
	var table strings.Builder
	table.WriteString("| fault | runs | seeds, first and last | operations | faults | lost | doubled | longest without an answer |\n|---|---|---|---|---|---|---|---|\n")
	for i := range rows {
		fmt.Fprintf(&table, "| %s | %s\n", schedules[i].fault, &rows[i])
	}
	t.Logf("\n%s", &table)
}

// row is a line of the table.
type row struct {
	result
	runs        int
	first, last uint64
}

func (r *row) add(seed uint64, more *result) {
	if r.runs == 0 {
		r.first = seed
	}
	r.runs++
	r.last = seed
	r.operations += more.operations
	r.faults += more.faults
	r.lost += more.lost
	r.doubled += more.doubled
	r.unanswered = max(r.unanswered, more.unanswered)
	r.slowest = max(r.slowest, more.slowest)
}

func (r *row) String() string {
	return fmt.Sprintf("%d | %d … %d | %d | %d | %d | %d | %v |",
		r.runs, r.first, r.last, r.operations, r.faults, r.lost, r.doubled, r.unanswered.Round(10*time.Millisecond))
}
