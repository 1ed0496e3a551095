package bridge

import (
	"sync/atomic"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/metrics"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// meters are what a kiosk counts. Their labels are readers, phases, kinds and reasons: never
// a card.
type meters struct {
	page   metrics.Set
	phases *metrics.Times
	taps   *metrics.Counter
	pcscd  atomic.Uint32 // the minor of its protocol; zero: it has not answered yet
}

// reading is the phase before those of a tap: what the card shows is read.
const reading = "read"

func newMeters(b *Bridge) *meters {
	m := new(meters)
	m.phases = m.page.Times("rfidbridge_phase_seconds",
		"How long the parts of a tap take: read (what the card shows), verdict (one question to the paywall and its answer), "+
			"card (one command that the paywall wants carried), pin (somebody enters one), open (the actuator), journal (one line on the disk).", "phase")
	m.taps = m.page.Counter("rfidbridge_taps_total", "Taps, by how they ended and why they were refused.", "kind", "reason")
	m.page.Gauge("rfidbridge_reader_up", "Whether a reader reads.", []string{"reader"}, func(tell func(int64, ...string)) {
		for name, well := range b.wells() {
			tell(well, name)
		}
	})
	m.page.Gauge("rfidbridge_journal_owed", "Taps whose end the paywall has not heard of.", nil, func(tell func(int64, ...string)) {
		owed, _ := b.desk.Owed()
		tell(int64(owed))
	})
	m.page.Gauge("rfidbridge_journal_owed_age_seconds", "How old the oldest of them is.", nil, func(tell func(int64, ...string)) {
		_, age := b.desk.Owed()
		tell(int64(age / time.Second))
	})
	m.page.Gauge("rfidbridge_leases", "Cards with something set aside here, which they can pay with while the paywall does not answer.", nil, func(tell func(int64, ...string)) {
		tell(int64(b.offline.Leases()))
	})
	m.page.Gauge("rfidbridge_pcscd_protocol_minor", "The minor of the protocol that pcscd speaks; its major is 4.", nil, func(tell func(int64, ...string)) {
		if minor := m.pcscd.Load(); minor != 0 {
			tell(int64(minor))
		}
	})
	return m
}

// wells are the readers: 1 where one reads, 0 where not.
func (b *Bridge) wells() map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[string]int64, len(b.readers))
	for name, fault := range b.readers {
		if all[name] = 1; fault != nil {
			all[name] = 0
		}
	}
	return all
}

func (m *meters) took(phase string, took time.Duration) { m.phases.Observe(took, phase) }

func (m *meters) ended(kind tap.Kind, reason wire.Reason) { m.taps.Inc(string(kind), string(reason)) }

// watch has a driver tell what it knows beside cards.
func (m *meters) watch(driver reader.Driver) reader.Driver {
	took := func(took time.Duration) { m.took(reading, took) }
	switch d := driver.(type) {
	case reader.PCSC:
		d.Agreed, d.Took = m.pcscd.Store, took
		return d
	case reader.PN532:
		d.Took = took
		return d
	}
	return driver
}
