package local

import "time"

// yielder lets work beside the operations take turns with them: it works a while
// and sleeps. To yield to the scheduler would not do: such work is runnable again at
// once, and the processor that runs it takes it up again before it looks at the
// network or helps out another one. The nil yielder works through.
type yielder struct{ since time.Time }

const (
	workFor  = 500 * time.Microsecond // and then sleep: at least
	sleepFor = 100 * time.Microsecond // and longer where others have work
)

// yield is called now and then.
func (y *yielder) yield() {
	if y == nil || time.Since(y.since) < workFor {
		return
	}
	time.Sleep(sleepFor)
	y.since = time.Now()
}
