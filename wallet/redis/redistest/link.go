package redistest

import (
	"bufio"
	"net"
	"slices"
)

// greetings are the commands with which clients begin a connection. A test that
// loses the next answer means that of its own command.
var greetings = []string{"HELLO", "AUTH", "SELECT", "CLIENT", "READONLY", "PING"}

// maxUnanswered is how many requests of a connection may be unanswered; what is
// sent behind them waits.
const maxUnanswered = 4096

// link is one client's connection.
type link struct {
	dropper        *Dropper
	client, server net.Conn
	// asked has for each request that is not answered yet whether its answer may
	// be lost. Answers come in the order of the requests.
	asked chan bool
}

func (d *Dropper) accept() {
	for {
		client, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.copying.Go(func() { d.serve(client) })
	}
}

// serve copies between a client and the server until either is gone.
func (d *Dropper) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", d.upstream)
	if err != nil {
		return
	}
	defer server.Close()
	if !d.keep(client, server) {
		return
	}
	defer d.forget(client, server)
	l := &link{d, client, server, make(chan bool, maxUnanswered)}
	d.copying.Go(func() {
		defer close(l.asked)
		defer server.Close() // a client that asks no more wants no answers either
		l.copyRequests()
	})
	l.copyAnswers()
	_ = client.Close()
	for range l.asked { // until the other direction has noticed
	}
}

// keep has the connections closed with the dropper, unless that is closed.
func (d *Dropper) keep(connections ...net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range connections {
		d.open[c] = true
	}
	return !d.closed
}

func (d *Dropper) forget(connections ...net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range connections {
		delete(d.open, c)
	}
}

func (l *link) copyRequests() {
	for from := bufio.NewReader(l.client); ; {
		request, err := readValue(from)
		if err != nil {
			return
		}
		l.asked <- !slices.Contains(greetings, commandOf(request))
		if _, err := l.server.Write(request); err != nil {
			return
		}
	}
}

// copyAnswers ends at the first answer that the client does not get in whole.
// The server has sent it, so it has executed the command.
func (l *link) copyAnswers() {
	for from := bufio.NewReader(l.server); ; {
		answer, err := readValue(from)
		if err != nil {
			return
		}
		passed := len(answer)
		if answer[0] != '>' && <-l.asked { // a message that nobody asked for is no answer
			passed = l.dropper.fate(passed)
		}
		if _, err := l.client.Write(answer[:passed]); err != nil || passed < len(answer) {
			return
		}
	}
}
