package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/bridge"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// bridgeAt is a kiosk's program at work beside a site, with an actuator that writes what it
// opens to a file.
type bridgeAt struct {
	*site
	state, opened string
	screen        string // address of its page
}

// startBridge enrols a kiosk and runs it until the test ends, or stop is called. more are
// fields of its configuration.
func (s *site) startBridge(readers string, more ...string) (b *bridgeAt, stop func()) {
	s.Helper()
	b = &bridgeAt{site: s, state: s.TempDir(), screen: freeAddress(s.T)}
	b.opened = filepath.Join(b.state, "opened")
	var made kioskCode
	s.decode([]byte(s.operator("kiosk", "enrol", "lobby", "--json")), &made)
	if _, err := client.Enrol(s.Context(), s.url, made.Code, filepath.Join(b.state, "identity.json"), nil); err != nil {
		s.Fatal(err)
	}
	text := fmt.Sprintf(`{"product":"gate","settle":"1ms","readers":[%s],"screen":%q,"actuator":{"exec":["sh","-c","echo $PAYWALL_TAP $PAYWALL_PRODUCT >> $0",%q]}}`,
		readers, b.screen, b.opened)
	text = strings.Join(append([]string{strings.TrimSuffix(text, "}")}, more...), ",") + "}"
	if err := os.WriteFile(filepath.Join(b.state, "kiosk.json"), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return b, b.run()
}

// run is the program, also after a stop.
func (b *bridgeAt) run() (stop func()) {
	b.Helper()
	config, err := bridge.Load(filepath.Join(b.state, "kiosk.json"))
	b.must(err)
	id, err := client.Load(filepath.Join(b.state, "identity.json"))
	b.must(err)
	j, err := journal.Open(filepath.Join(b.state, "journal"))
	b.must(err)
	kiosk, err := bridge.New(config, id, j, "test", slog.New(slog.NewTextHandler(io.Discard, nil)))
	b.must(err)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- kiosk.Run(ctx) }()
	return func() {
		b.Helper()
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, client.ErrUncertain) { // it owes something still
			b.Error(err)
		}
		b.must(j.Close())
	}
}

func (b *bridgeAt) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// shows waits until the screen says something, and returns its page.
func (b *bridgeAt) shows(text string) (page string) {
	b.Helper()
	eventually(b.T, "the screen says "+text, func() bool {
		response, err := http.Get("http://" + b.screen + "/?lang=en") //nolint:noctx // a test's
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		page = string(body)
		return err == nil && strings.Contains(page, text)
	})
	return page
}

// openings is how often something was opened.
func (b *bridgeAt) openings() int {
	text, _ := os.ReadFile(b.opened)
	return strings.Count(string(text), " gate\n")
}

// claims taps a card at another kiosk and makes it a wallet's.
func (s *site) claims(m *visitor, shown wire.Card) {
	s.Helper()
	v, err := s.enrolKiosk("desk").Tap(s.Context(), newTap(s.T, "gate", "0.10", shown))
	if err != nil || v.Claim == "" {
		s.Fatalf("a new card is %+v, %v", v, err)
	}
	m.post("/.paywall/cards/add", map[string]any{"claim": v.Claim})
}

// A reader that writes numbers to a terminal: tap, ten cents, open; and so on after the
// kiosk and the paywall were restarted.
func TestAKioskOpensForACardOnASerialReader(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	terminal, line := serialtest.Open(t)
	m := s.machine("5.00")
	s.claims(m, plainCard(t, 1))
	b, stop := s.startBridge(fmt.Sprintf(`{"driver":"lines","path":%q}`, line))
	tap := func(want int) {
		t.Helper()
		if _, err := io.WriteString(terminal, "04 01 02 03 04 05 01\r\n"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is opened", func() bool { return b.openings() == want })
		eventually(t, "it is paid for", func() bool {
			return strings.Count(s.operator("kiosk", "list", "--taps"), "captured") == want
		})
	}
	eventually(t, "the operator hears of the reader", func() bool {
		return strings.Contains(s.operator("kiosk", "list", "--json"), line)
	})
	b.shows("Tap your card")
	tap(1)
	b.shows("Paid")
	m.wantsBalance("4.90")
	if _, err := io.WriteString(terminal, "04010203040599\n"); err != nil { // nobody's
		t.Fatal(err)
	}
	claim := regexp.MustCompile(`alt="` + regexp.QuoteMeta(s.url) + `(/\.paywall/cards\?claim=[A-Za-z0-9_-]+)"`).FindStringSubmatch(b.shows("Nobody’s card yet"))
	if claim == nil {
		t.Fatal("the screen shows no address")
	}
	s.browser().get(claim[1]).wants(http.StatusOK).says("A card needs a wallet")
	stop()
	time.Sleep(3 * time.Second) // the guard
	stop = b.run()
	b.shows("0.10")                    // it knows the price
	time.Sleep(500 * time.Millisecond) // and has opened the line
	s.load(magazine)                   // without kiosks
	if _, err := io.WriteString(terminal, "04010203040501\n"); err != nil {
		t.Fatal(err)
	}
	b.shows("Out of order")
	if n := b.openings(); n != 1 {
		t.Errorf("it is opened %d times by a paywall without kiosks", n)
	}
	if err := s.tryLoad(withKiosks, magazine); err != nil {
		t.Fatal(err)
	}
	tap(2)
	m.wantsBalance("4.80")
	stop()
}
