package pcsctest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc"
)

// RealReader is how the real pcscd names its virtual reader.
const RealReader = "Virtual PCD 00 00"

// vpcd is the driver of virtual readers, of the Debian package vsmartcard-vpcd.
const vpcd = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// StartReal runs the installed pcscd with a virtual reader until the test ends, and returns
// the address at which cards are laid on it. There is one pcscd on a machine, and it needs
// to be root.
func StartReal(t testing.TB) (address string) {
	t.Helper()
	program, err := exec.LookPath("pcscd")
	if err != nil {
		t.Fatal("this test needs pcscd: on Debian, apt-get install pcscd vsmartcard-vpcd")
	}
	if _, err := os.Stat(vpcd); err != nil {
		t.Fatalf("this test needs a virtual reader: on Debian, apt-get install vsmartcard-vpcd (%v)", err)
	}
	takeTurn(t)
	if connection, err := net.Dial("unix", pcsc.DefaultSocket); err == nil { //nolint:noctx // a test's
		_ = connection.Close()
		t.Fatalf("a pcscd runs already at %s, and this test starts its own: systemctl stop pcscd.socket pcscd", pcsc.DefaultSocket)
	}
	port := freePort(t)
	config := filepath.Join(t.TempDir(), "reader.conf")
	text := fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x%X\nLIBPATH %s\nCHANNELID 0x%X\n", port, vpcd, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(program, "--foreground", "--error", "--config", config) //nolint:noctx,gosec // it is ended below, and is what the test has found
	daemon.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(filepath.Join(t.TempDir(), "pcscd.log"))
	if err != nil {
		t.Fatal(err)
	}
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = daemon.Wait() // it is ended by a signal
	}()
	t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM) // so that it removes its socket
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = daemon.Process.Kill()
			<-ended
		}
	})
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		select {
		case <-ended:
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("pcscd has ended:\n%s", said)
		default:
		}
		if readers, err := realReaders(t); err == nil && len(readers) > 0 && readers[0].Name == RealReader {
			return address
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("pcscd shows no reader:\n%s", said)
		}
	}
}

// takeTurn waits until no other test of this project has a real pcscd, until the test ends.
func takeTurn(t testing.TB) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "caddy-paywall-pcscd.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() }) // which lets the next one have it
}

func realReaders(t testing.TB) ([]pcsc.Reader, error) {
	c, err := pcsc.Open(t.Context(), pcsc.Options{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Readers()
}

// freePort is a port that nobody has, below those that the system gives to connections: the
// driver listens on all interfaces, and could not beside one.
func freePort(t testing.TB) int {
	t.Helper()
	const first, count = 10_000, 10_000
	for range 100 {
		port := first + rand.IntN(count)                                                      //nolint:gosec // it is no secret
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) //nolint:noctx // a test's
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// Hurry has the system acknowledge what comes at once: for virtual.Lie.
func Hurry(conn net.Conn) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return // it is slower then
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
}
