package redistest

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

// Ports are taken from below those that systems give to outgoing connections.
// A killed server's port has to be free when it is started again, and so no
// connection may have got it in the meantime.
const (
	firstPort = 16384
	ports     = 16384

	// portsEach is how far apart processes begin to look, so that the tests of
	// several packages, which run at the same time, do not meet.
	portsEach = 509
)

// portsGiven counts the ports given out by this process, so that none is given
// out twice, even while its server is down.
var portsGiven atomic.Uint32

// freePort is a port of the loopback interface that nobody uses.
func freePort(t testing.TB) int {
	t.Helper()
	for range ports {
		port := firstPort + (os.Getpid()*portsEach+int(portsGiven.Add(1)))%ports
		if isFree(port) {
			return port
		}
	}
	t.Fatalf("no port from %d to %d of %s is free", firstPort, firstPort+ports-1, loopback)
	return 0
}

// isFree reports whether nobody listens. It does not try to listen itself: a
// process that is started at that moment has the listener too until it is another
// program, and the port would be taken for as long.
func isFree(port int) bool {
	connection, err := net.Dial("tcp", address(port))
	if err == nil {
		_ = connection.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// loopback is the one interface that servers listen on: their data is nobody
// else's business.
const loopback = "127.0.0.1"

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }
