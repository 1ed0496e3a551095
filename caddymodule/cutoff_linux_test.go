package caddymodule

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
)

// line is a network between a kiosk and a site, which can be cut.
type line struct {
	address string

	mu   sync.Mutex
	cut  bool
	open []net.Conn
}

func layLine(t *testing.T, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	l := &line{address: listener.Addr().String()}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			l.join(from, to)
		}
	}()
	return l
}

func (l *line) join(from net.Conn, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	there, err := net.Dial("tcp", to)
	if err != nil || l.cut {
		from.Close()
		return
	}
	l.open = append(l.open, from, there)
	go func() { _, _ = io.Copy(there, from) }()
	go func() { _, _ = io.Copy(from, there) }()
}

// cuts takes the line down, or lets it be.
func (l *line) cuts(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut = down; down {
		for _, c := range l.open {
			c.Close()
		}
		l.open = nil
	}
}

// fetched is a page, or nothing.
func fetched(address string) string {
	answer, err := http.Get(address) //nolint:noctx // a test's
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

// A kiosk whose network is cut opens for a card that it has met, whose holder allows it, from
// what was set aside; when the network is back it is paid once.
func TestAKioskWithoutANetworkGoesOn(t *testing.T) {
	s := startSiteWith(t, strings.Replace(withKiosks, "kiosks {", "kiosks {\noffline {\nlease 3.00\nproof uid\n}", 1), magazine)
	terminal, path := serialtest.Open(t)
	m := s.machine("5.00")
	s.claims(m, plainCard(t, 1))
	var mine cardsJSON
	s.decode([]byte(m.get("/.paywall/cards").body), &mine)
	m.post("/.paywall/cards/change", map[string]any{"card": mine.Cards[0].Card, "offline": true}).says(`"offline":true`)
	metrics := freeAddress(t)
	b, stop := s.startBridge(fmt.Sprintf(`{"driver":"lines","path":%q}`, path), `"guard":"1ms"`, `"offline_patience":"100ms"`, fmt.Sprintf(`"metrics":%q`, metrics))
	stop()
	l := layLine(t, strings.TrimPrefix(s.url, "http://"))
	identity := filepath.Join(b.state, "identity.json")
	text, err := os.ReadFile(identity)
	b.must(err)
	b.must(os.WriteFile(identity, []byte(strings.Replace(string(text), s.url, "http://"+l.address, 1)), 0o600))
	stop = b.run()
	tap := func(want int) {
		t.Helper()
		_, err := io.WriteString(terminal, "04 01 02 03 04 05 01\r\n")
		b.must(err)
		eventually(t, "it is opened", func() bool { return b.openings() == want })
	}
	b.shows("0.10")
	time.Sleep(500 * time.Millisecond) // it has opened the line
	knows := func() int64 {            // how much the kiosk does of cards
		file, err := os.Stat(filepath.Join(b.state, "offline"))
		b.must(err)
		return file.Size()
	}
	nobody := knows()
	tap(1)
	eventually(t, "the kiosk has met the card", func() bool { return knows() > nobody+100 })
	// Half of what there is.
	eventually(t, "a lease is set aside", func() bool { return strings.Contains(m.get("/.paywall/wallet").body, `"held":{"amount":"2.45"`) })
	eventually(t, "the kiosk has heard of it", func() bool { return strings.Contains(fetched("http://"+metrics), "rfidbridge_leases 1") })
	l.cuts(true)
	tap(2)
	b.shows("taken from your wallet later")
	stop()
	stop = b.run() // a kiosk that is restarted without a network goes on
	b.shows("0.10")
	time.Sleep(500 * time.Millisecond)
	tap(3)
	m.wantsBalance("2.45")
	l.cuts(false)
	eventually(t, "it is paid for", func() bool { return strings.Count(s.operator("kiosk", "list", "--taps"), "settled") == 2 })
	eventually(t, "the rest is back", func() bool { return strings.Contains(m.get("/.paywall/wallet").body, `"4.70"`) })
	stop()
	if report := s.operator("report"); strings.Contains(report, "kiosk offline") || !strings.Contains(report, "kiosk/gate") || !strings.Contains(report, "0.30") {
		t.Errorf("the report has each offline tap for itself: %s", report)
	}
}
