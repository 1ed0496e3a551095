package actuator

import (
	"context"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
)

const short = 30 * time.Millisecond

// heard is what a relay's end of the line reads: so many bytes.
func heard(t *testing.T, far *os.File, n int) string {
	t.Helper()
	if err := far.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(far, b); err != nil {
		t.Fatalf("%x, then %v", b, err)
	}
	return hex.EncodeToString(b)
}

func TestARelayIsSwitchedOnAndOffAgain(t *testing.T) {
	on, off := LCUS(2)
	for name, c := range map[string]struct {
		on, off []byte
		want    [2]string
	}{
		"LCUS": {on, off, [2]string{"a00201a3", "a00200a2"}},
		"text": {[]byte("ON 1\r\n"), []byte("OFF 1\r\n"), [2]string{hex.EncodeToString([]byte("ON 1\r\n")), hex.EncodeToString([]byte("OFF 1\r\n"))}},
	} {
		far, path := serialtest.Open(t)
		r := &SerialRelay{Path: path, On: c.on, Off: c.off, Pulse: short}
		opened := make(chan Outcome, 1)
		begun := time.Now()
		go func() {
			got, err := r.Open(t.Context(), opening)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			opened <- got
		}()
		if got := heard(t, far, len(c.on)); got != c.want[0] {
			t.Errorf("%s: on is %s, want %s", name, got, c.want[0])
		}
		if got := heard(t, far, len(c.off)); got != c.want[1] || time.Since(begun) < short {
			t.Errorf("%s: off is %s, want %s, after %v", name, got, c.want[1], time.Since(begun))
		}
		if got := <-opened; got != Done {
			t.Errorf("%s: it is %v", name, got)
		}
	}
}

// A crash may have left a relay on: it is switched off before the first tap.
func TestARelayIsSwitchedOffAtTheStart(t *testing.T) {
	far, path := serialtest.Open(t)
	r := &SerialRelay{Path: path, Pulse: short}
	r.On, r.Off = LCUS(1)
	if err := r.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := heard(t, far, 4); got != "a00100a1" {
		t.Errorf("it is told %s", got)
	}
}

// The adapter loses the bus when the coil switches, and is there again under the same name:
// the relay is switched off through it.
func TestARelayThatIsUnpluggedIsSwitchedOffWhenItIsBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "relay")
	far, path := serialtest.Open(t)
	if err := os.Symlink(path, name); err != nil {
		t.Fatal(err)
	}
	r := &SerialRelay{Path: name, Pulse: 4 * short}
	r.On, r.Off = LCUS(1)
	opened := make(chan Outcome, 1)
	go func() {
		got, err := r.Open(t.Context(), opening)
		if err != nil {
			t.Error(err)
		}
		opened <- got
	}()
	heard(t, far, 4)
	far.Close()
	back, path := serialtest.Open(t)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, name); err != nil {
		t.Fatal(err)
	}
	if got := heard(t, back, 4); got != "a00100a1" {
		t.Errorf("it is told %s", got)
	}
	if got := <-opened; got != Done {
		t.Errorf("it is %v", got)
	}
}

func TestARelayThatIsNotThereRefuses(t *testing.T) {
	late, cancel := context.WithCancel(t.Context())
	cancel()
	_, path := serialtest.Open(t)
	for name, c := range map[string]struct {
		ctx  context.Context
		path string
	}{"not there": {t.Context(), path + "none"}, "too late": {late, path}} {
		if got, err := (&SerialRelay{Path: c.path, Pulse: short}).Open(c.ctx, opening); got != Refused || err == nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
