package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// grantAll is a paywall that sells one product to every card.
func grantAll(w http.ResponseWriter, r *http.Request) {
	gate := wire.Product{Name: "gate", Price: "0.10"}
	var answer any
	switch r.URL.Path {
	case wire.EnrolPath:
		answer = wire.Enrolled{Kiosk: "lobby"}
	case wire.StatePath:
		answer = wire.Policy{Currency: "USD", Products: []wire.Product{gate}}
	case wire.TapPath:
		var t wire.Tap
		_ = json.NewDecoder(r.Body).Decode(&t)
		answer = wire.Verdict{ID: t.ID, Outcome: wire.Granted, Product: gate, Grant: "grant"}
	default:
		answer = wire.Resolved{Outcome: "captured"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// plain is a card on a reader of pcscd that shows its number alone.
type plain struct{}

func (plain) ATR() []byte { return []byte{0x3B, 0x80, 0x80, 0x01, 0x01} }

func (plain) Transmit(apdu []byte) []byte {
	if apdu[1] == 0xCA {
		return []byte{0x04, 1, 2, 3, 4, 5, 6, 0x90, 0x00}
	}
	return []byte{0x6A, 0x82}
}

func TestAKioskCountsWhatItDoes(t *testing.T) {
	paywall := httptest.NewServer(http.HandlerFunc(grantAll))
	defer paywall.Close()
	dir := t.TempDir()
	id, err := client.Enrol(t.Context(), paywall.URL, "code", filepath.Join(dir, "identity.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	config, err := load(t, `{"product":"gate","readers":[{"driver":"pcsc"}],"metrics":"127.0.0.1:0"}`)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(config, id, j, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.report(t.Context())
	daemon := pcsctest.Start(t, 5)
	daemon.Plug("ACR1252")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.meters.watch(reader.PCSC{Socket: daemon.Socket()}).Run(ctx, b) }()
	b.Health("wedge", errors.New("unplugged"))
	b.Unread("wedge", errors.New("torn"))
	daemon.Insert("ACR1252", plain{})
	wants := []string{
		`rfidbridge_taps_total{kind="paid",reason=""} 1`, `rfidbridge_taps_total{kind="unread",reason=""} 1`,
		`rfidbridge_reader_up{reader="ACR1252"} 1`, `rfidbridge_reader_up{reader="wedge"} 0`,
		`rfidbridge_phase_seconds_count{phase="read"} 1`, `rfidbridge_phase_seconds_count{phase="verdict"} 1`,
		`rfidbridge_phase_seconds_count{phase="open"} 1`, `rfidbridge_phase_seconds_count{phase="journal"} 3`,
		`rfidbridge_journal_owed 1`, `rfidbridge_journal_owed_age_seconds 0`, `rfidbridge_pcscd_protocol_minor 5`,
	}
	var page string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		w := httptest.NewRecorder()
		b.meters.page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if page = w.Body.String(); strings.Contains(page, wants[0]) {
			break
		}
	}
	for _, want := range wants {
		if !strings.Contains(page, "\n"+want+"\n") {
			t.Errorf("it does not say %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, "04010203") {
		t.Error("it has the card's number")
	}
	stop()
	<-ended
	if _, err := b.desk.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if owed, _ := b.desk.Owed(); owed != 0 {
		t.Errorf("after the settlement %d are owed", owed)
	}
}
