package serial_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
)

// every byte there is: a terminal that is not raw changes, swallows or repeats some.
func every() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func TestBytesComeAndGoAsTheyAre(t *testing.T) {
	far, path := serialtest.Open(t)
	line, err := serial.Open(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	for _, way := range []struct{ from, to *os.File }{{far, line}, {line, far}} {
		if _, err := way.from.Write(every()); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 256)
		if err := way.to.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, every()) {
			t.Errorf("from %s comes %x, %v", way.from.Name(), got, err)
		}
	}
}

func TestAReadEndsWithTheLine(t *testing.T) {
	for name, end := range map[string]func(line, far *os.File){
		"closed":    func(line, _ *os.File) { line.Close() },
		"unplugged": func(_, far *os.File) { far.Close() },
		"too late":  func(line, _ *os.File) { line.SetReadDeadline(time.Now()) },
	} {
		far, path := serialtest.Open(t)
		line, err := serial.Open(path, 9600)
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error, 1)
		go func() {
			_, err := line.Read(make([]byte, 1))
			read <- err
		}()
		time.Sleep(10 * time.Millisecond)
		end(line, far)
		select {
		case err := <-read:
			if err == nil {
				t.Errorf("%s: it reads something", name)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: it reads on", name)
		}
		line.Close()
	}
}

func TestAFileIsNoLine(t *testing.T) {
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := serial.Open(path, 9600); err == nil {
		t.Error("a file is opened")
	}
	if _, err := serial.Open(path+"none", 9600); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	_, line := serialtest.Open(t)
	if _, err := serial.Open(line, 1234); err == nil {
		t.Error("it is opened at 1234 baud")
	}
}
