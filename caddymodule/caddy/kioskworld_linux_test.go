package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	cardNumber = "04a1b2c3d4e5f6"
	cardMoney  = 5 * wallet.Unit

	// How long money is set aside: longer than a busy machine takes from a verdict to a
	// capture, with a start of the kiosk, or of the paywall, between them.
	shortHold = 5 * time.Second
	longHold  = 15 * time.Second
)

// gatekeeper is the program that opens: it tells what it does, and waits at each step until
// it may go on.
const gatekeeper = `echo opening > say; read word < hear; [ "$word" = open ] || exit 1
echo "$PAYWALL_TAP" >> opened; echo opened > say; read word < hear`

// kioskWorld is a paywall, a kiosk's program with a gate, and the network between them:
// processes that can be killed at any step of a tap. A card of a wallet with some money lies
// ready.
type kioskWorld struct {
	*server // the paywall
	network *kioskNetwork
	holder  *spender

	rfidbridge string // the kiosk's program
	dir        string // of the kiosk: its configuration, its state, the gate
	said       transcript
	kiosk      *exec.Cmd
	cards      io.WriteCloser // what the reader reads
	taps       int            // that were begun
	refuses    atomic.Bool    // the gate does not open
	dies       bool           // what strikes is the end of the kiosk, and so of a gate that is about to open
	keeps      bool           // capture_unknown
	pcscd      string         // the socket of one; empty: the reader is the program's input

	mu     sync.Mutex
	armed  place
	strike func()
	hit    chan struct{}
}

// newKioskWorld starts one. options are more lines of the paywall's option kiosks.
func newKioskWorld(t *testing.T, hold time.Duration, options ...string) *kioskWorld {
	t.Helper()
	w := &kioskWorld{dir: t.TempDir()}
	var err error
	if w.rfidbridge, err = buildBridge(); err != nil {
		t.Fatal(err)
	}
	w.server = newServer(t, func(port, admin string) string {
		return fmt.Sprintf(`{
	admin %s
	persist_config off
	log {
		level ERROR
	}
	paywall {
		kiosks {
			product gate 0.10
			hold %s
			guard 1ms
			%s
		}
	}
}
http://localhost:%s {
	bind 127.0.0.1
	paywall /articles/* 0.10
	respond PAGE
}
`, admin, hold, strings.Join(options, "\n\t\t\t"), port)
	})
	w.start()
	w.network = newKioskNetwork(t, w.url, w.struck)
	w.holder = newSpender(w.server)
	w.claimCard()
	w.openGate()
	w.enrolKiosk()
	w.startKiosk()
	t.Cleanup(func() {
		w.killKiosk()
		if t.Failed() {
			t.Logf("the kiosk printed:\n%s", w.said.String())
		}
	})
	return w
}

// claimCard makes the card the holder's, who has some money.
func (w *kioskWorld) claimCard() {
	w.Helper()
	var redeemed struct{ Balance any }
	w.holder.ask(redeemPath, map[string]any{"code": w.vouchers("5.00", 1)[0]}, &redeemed)
	number, err := uid.Hex.Parse(cardNumber)
	w.must(err)
	w.holder.ask("/.paywall/cards/change", map[string]any{"card": w.claim("desk", wire.Card{UID: number}), "offline": true}, &struct{ Card string }{})
}

// claim makes a card the holder's, at another kiosk, and returns its ID.
func (w *kioskWorld) claim(kiosk string, shown wire.Card) string {
	w.Helper()
	var made struct{ Code string }
	w.operator(&made, "kiosk", "enrol", kiosk)
	id, err := client.Enrol(w.Context(), w.url, made.Code, filepath.Join(w.dir, kiosk+".json"), nil)
	w.must(err)
	desk, err := client.New(id, nil)
	w.must(err)
	var tap wallet.OpID
	w.must(tap.UnmarshalText([]byte(w.newID())))
	v, err := desk.Tap(w.Context(), wire.Tap{ID: tap, Product: "gate", Price: "0.10", Card: shown})
	w.must(err)
	var card struct{ Card string }
	w.holder.ask("/.paywall/cards/add", map[string]any{"claim": v.Claim}, &card)
	return card.Card
}

func (w *kioskWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// enrolKiosk makes the kiosk one of the paywall, through the network.
func (w *kioskWorld) enrolKiosk() {
	w.Helper()
	var made struct{ Code string }
	w.operator(&made, "kiosk", "enrol", "lobby")
	enrol := exec.Command(w.rfidbridge, "enrol", "-site", w.network.url, "-code", made.Code, "-state", w.dir)
	if out, err := enrol.CombinedOutput(); err != nil {
		w.Fatalf("enrolling: %v\n%s", err, out)
	}
}

// openGate makes the pipes to the gatekeeper, and hears it until the test ends.
func (w *kioskWorld) openGate() {
	w.Helper()
	pipe := func(name string) *os.File {
		path := filepath.Join(w.dir, name)
		w.must(syscall.Mkfifo(path, 0o600))
		end, err := os.OpenFile(path, os.O_RDWR, 0) // which waits for no other end
		w.must(err)
		w.Cleanup(func() { end.Close() })
		return end
	}
	say, hear := pipe("say"), pipe("hear")
	go func() {
		for lines := bufio.NewScanner(say); lines.Scan(); {
			word := "open"
			if struck := w.struck(gateWords[lines.Text()]); struck && w.dies || w.refuses.Load() {
				word = "shut"
			}
			_, _ = fmt.Fprintln(hear, word) // a pipe of this process's own
		}
	}()
}

var gateWords = map[string]place{"opening": opening, "opened": opened}

// keep has the kiosk decide for whom nobody knows.
func (w *kioskWorld) keep(keeps bool) {
	w.Helper()
	if w.keeps != keeps {
		w.killKiosk()
		w.keeps = keeps
		w.startKiosk()
	}
}

// startKiosk starts the kiosk's program. It watches the reader when it has learnt the price.
func (w *kioskWorld) startKiosk() {
	w.Helper()
	config := filepath.Join(w.dir, "kiosk.json")
	readers := `{"driver":"stdin"}`
	if w.pcscd != "" {
		readers = `{"driver":"pcsc"}`
	}
	w.must(os.WriteFile(config, fmt.Appendf(nil, `{"product":"gate","readers":[%s],"settle":"1ms","patience":"20s","offline_patience":"200ms","guard":"1ms","capture_unknown":%t,
		"actuator":{"exec":["sh","-c","cd %s; %s"],"timeout":"30s"}}`, readers, w.keeps, w.dir, strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(gatekeeper)), 0o600))
	w.kiosk = exec.Command(w.rfidbridge, "run", "-config", config, "-state", w.dir)
	w.kiosk.Stderr, w.kiosk.Env = &w.said, append(os.Environ(), "PCSCLITE_CSOCK_NAME="+w.pcscd)
	var err error
	w.cards, err = w.kiosk.StdinPipe()
	w.must(err)
	w.must(w.kiosk.Start())
}

// killKiosk ends the kiosk's program as kill -9 does.
func (w *kioskWorld) killKiosk() {
	_ = w.kiosk.Process.Kill()
	_ = w.kiosk.Wait() // which says that it was killed
}

// arm has strike called when a tap comes to a place, once. What it returns is closed then.
func (w *kioskWorld) arm(at place, strike func()) (hit <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed, w.strike, w.hit = at, strike, make(chan struct{})
	return w.hit
}

// struck tells that a tap has come to a place, and reports whether something has happened
// there.
func (w *kioskWorld) struck(at place) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at == "" || at != w.armed {
		return false
	}
	w.armed = ""
	w.strike()
	close(w.hit)
	return true
}

// tapCard lays the card on the reader, and returns the number of the tap.
func (w *kioskWorld) tapCard() int {
	w.Helper()
	_, err := fmt.Fprintln(w.cards, cardNumber)
	w.must(err)
	w.taps++
	return w.taps
}

// journalEntry is a line of the kiosk's journal.
type journalEntry struct {
	Tap, Step, Outcome string
}

func (w *kioskWorld) journal() (all []journalEntry) {
	w.Helper()
	for line := range bytes.Lines(w.read("journal")) {
		var l struct{ Entry journalEntry }
		if bytes.HasSuffix(line, []byte("\n")) { // else it is being written
			w.must(json.Unmarshal(line, &l))
			all = append(all, l.Entry)
		}
	}
	return all
}

// waitUntilDone waits until a tap owes nothing, and returns how it has ended.
func (w *kioskWorld) waitUntilDone(tap int) (outcome string) {
	w.Helper()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var ends []string
		for _, e := range w.journal() {
			if e.Step == "done" {
				ends = append(ends, e.Outcome)
			}
		}
		if len(ends) == tap {
			return ends[tap-1]
		}
	}
	w.Fatalf("tap %d does not end; the journal is %v", tap, w.journal())
	return ""
}

// opened are the taps that the gate has opened for.
func (w *kioskWorld) opened() []string {
	w.Helper()
	return strings.Fields(string(w.read("opened")))
}

// read is what stands in a file of the kiosk's; nothing while there is none.
func (w *kioskWorld) read(name string) []byte {
	w.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	if !os.IsNotExist(err) {
		w.must(err)
	}
	return text
}

// balance is what is in the wallet, without what is set aside.
func (p *spender) balance() wallet.Amount {
	p.Helper()
	status, _, text, err := p.send(http.MethodGet, "/.paywall/wallet", nil)
	var shown struct{ Balance struct{ Amount string } }
	if err != nil || status != http.StatusOK || json.Unmarshal(text, &shown) != nil {
		p.Fatalf("the wallet is answered %d %v\n%s", status, err, text)
	}
	return p.amount(shown.Balance.Amount)
}
