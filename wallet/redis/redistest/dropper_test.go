package redistest

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// throughDropper is a client that sends nothing twice.
func throughDropper(t *testing.T, d *Dropper) *redis.Client {
	t.Helper()
	client := newClient(d.Addr(), "")
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestACommandWhoseAnswerIsDroppedWasExecuted(t *testing.T) {
	t.Parallel()
	s := Start(t)
	d := NewDropper(t, s.Addr(), 1)
	client := throughDropper(t, d)
	if got, err := client.Incr(t.Context(), "charges").Result(); got != 1 || err != nil {
		t.Fatalf("without a fault: %v, %v", got, err)
	}
	d.DropNext(1)
	if got, err := client.Incr(t.Context(), "charges").Result(); !errors.Is(err, io.EOF) {
		t.Errorf("a dropped answer is %v, %v", got, err)
	}
	if got, err := client.Incr(t.Context(), "charges").Result(); got != 3 || err != nil {
		t.Errorf("the next answer is %v, %v; the dropped one's command was not executed", got, err)
	}
	if d.Dropped() != 1 {
		t.Errorf("%d answers were dropped", d.Dropped())
	}
}

func TestAFirstCommandsAnswerIsDroppedAndNotItsGreetings(t *testing.T) {
	t.Parallel()
	s := Start(t)
	d := NewDropper(t, s.Addr(), 1)
	d.DropNext(1)
	if got, err := throughDropper(t, d).Incr(t.Context(), "charges").Result(); err == nil {
		t.Errorf("a dropped answer is %v", got)
	}
	if got := ask(t, s, "GET", "charges"); got != "1" {
		t.Errorf("the server has executed %v", got)
	}
}

func TestATornAnswerEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := Start(t)
	d := NewDropper(t, s.Addr(), 1)
	ask(t, s, "SET", "balance", "12.00")
	d.TearNext(1)
	connection := dial(t, d.Addr())
	whole := "$5\r\n12.00\r\n"
	if _, err := io.WriteString(connection, "*2\r\n$3\r\nGET\r\n$7\r\nbalance\r\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(connection); err != nil || string(got) != whole[:len(whole)/2] {
		t.Errorf("a torn answer is %q, %v", got, err)
	}
}

func TestOfAPipelineTheAnswersBeforeTheDroppedOneArrive(t *testing.T) {
	t.Parallel()
	s := Start(t)
	d := NewDropper(t, s.Addr(), 1)
	connection := dial(t, d.Addr())
	d.DropNext(1)
	if _, err := io.WriteString(connection, "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(connection); err != nil || string(got) != "+PONG\r\n" {
		t.Errorf("the client has %q, %v", got, err)
	}
	if got := ask(t, s, "GET", "a"); got != "1" {
		t.Errorf("the server has %v", got)
	}
}

// Each seed drops other answers, and the same seed the same ones.
func TestOneAnswerInSomeIsDroppedAsTheSeedHasIt(t *testing.T) {
	t.Parallel()
	s := Start(t)
	const charges, every = 400, 10
	run := func(seed uint64) (lost []int) {
		d := NewDropper(t, s.Addr(), seed)
		client := throughDropper(t, d)
		d.DropEvery(every)
		ask(t, s, "SET", "charges", 0)
		for i := range charges {
			if client.Incr(t.Context(), "charges").Err() != nil {
				lost = append(lost, i)
			}
		}
		if len(lost) != d.Dropped() || len(lost) < charges/every/4 || len(lost) > charges/every*4 {
			t.Errorf("%d answers were dropped and %d missed", d.Dropped(), len(lost))
		}
		if got, _ := s.Client().Get(t.Context(), "charges").Int(); got != charges {
			t.Errorf("the server has executed %d commands of %d", got, charges)
		}
		return lost
	}
	first, again, other := run(1), run(1), run(2)
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Errorf("lost were %v, %v with the same seed, and %v with another", first, again, other)
	}
}

func TestADropperUnderLoadLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("load", func(t *testing.T) {
		s := Start(t)
		d := NewDropper(t, s.Addr(), 1)
		client := throughDropper(t, d)
		d.DropEvery(5)
		ended := make(chan struct{})
		const callers, pipelines, each = 8, 20, 50
		for range callers {
			go func() {
				for range pipelines {
					_, _ = client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
						for range each {
							p.Incr(t.Context(), "charges")
						}
						return nil
					})
				}
				ended <- struct{}{}
			}()
		}
		for range callers {
			<-ended
		}
		if got, _ := s.Client().Get(t.Context(), "charges").Int(); d.Dropped() == 0 || got < d.Dropped() {
			t.Errorf("%d answers were dropped of %d commands", d.Dropped(), got)
		}
	})
}

func TestADropperKnowsWhereEveryAnswerEnds(t *testing.T) {
	t.Parallel()
	s := Start(t)
	d := NewDropper(t, s.Addr(), 1)
	client := throughDropper(t, d)
	script := `redis.setresp(3)
		return {1, false, "", "a\r\nb", {}, {{"deep"}}, redis.call("HGETALL", KEYS[1]), redis.call("SMEMBERS", KEYS[2]), {ok="fine"}, {double=1.5}}`
	ask(t, s, "HSET", "hash", "k", "v", "l", "w")
	ask(t, s, "SADD", "set", "member")
	want := ask(t, s, "EVAL", script, 2, "hash", "set")
	got, err := client.Do(t.Context(), "EVAL", script, 2, "hash", "set").Result()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the server says %v, and through the dropper %v, %v", want, got, err)
	}
	long := make([]byte, 1<<20)
	if err := client.Set(t.Context(), "long", long, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Get(t.Context(), "long").Bytes(); len(got) != len(long) || err != nil {
		t.Errorf("of %d bytes %d came through: %v", len(long), len(got), err)
	}
	if err := client.Do(t.Context(), "NONSENSE").Err(); err == nil {
		t.Error("an error did not come through")
	}
}
