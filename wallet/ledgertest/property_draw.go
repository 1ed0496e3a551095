package ledgertest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// draws makes random operations out of small sets, so that they meet: few
// wallets, few resources, ids that come back, amounts at the limits. What it
// draws depends on rapid alone, and not on the engine.
type draws struct {
	rt       *rapid.T
	clock    *Clock
	made     uint64 // ids so far
	wallets  []wallet.WalletID
	digests  []wallet.Digest // the first is none
	ids      []wallet.OpID   // used before
	holds    []wallet.OpID
	edges    []time.Time // when something ends
	accounts []wallet.Account
}

func newDraws(rt *rapid.T, clock *Clock) *draws {
	d := &draws{rt: rt, clock: clock, digests: []wallet.Digest{{}}, accounts: []wallet.Account{
		card, wallet.FundingVoucher, wallet.Site, charity, {Name: "funding:"},
	}}
	for i := range byte(5) {
		d.wallets = append(d.wallets, wallet.WalletID{0xa0, i})
		d.accounts = append(d.accounts, wallet.WalletAccount(d.wallets[i]))
	}
	for i := range byte(8) {
		d.digests = append(d.digests, wallet.Digest{0xd0, i})
	}
	return d
}

func pick[T any](d *draws, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(d.rt, label)
}

// rarely is true one time in n.
func (d *draws) rarely(label string, n int) bool {
	return rapid.IntRange(1, n).Draw(d.rt, label) == n
}

// newID makes an id that was never used, of a time so far from now.
func (d *draws) newID(away time.Duration) wallet.OpID {
	id, err := wallet.NewOpID(d.clock.Now().Add(away), bytes.NewReader(make([]byte, 10)))
	if err != nil {
		d.rt.Fatal(err)
	}
	d.made++
	return id.Derive(binary.BigEndian.AppendUint64(nil, d.made))
}

// id draws an id: mostly a new one of now, at times one of another time or one
// that was used.
func (d *draws) id() wallet.OpID {
	const ms = time.Millisecond
	switch rapid.IntRange(0, 15).Draw(d.rt, "id") {
	case 13:
		return d.newID(pick(d, "away",
			-wallet.ChargeMemory, -wallet.ChargeMemory-ms, -wallet.MoneyMemory, -wallet.MoneyMemory-ms,
			wallet.MaxClockSkew, wallet.MaxClockSkew+ms))
	case 14, 15:
		if len(d.ids) > 0 {
			return pick(d, "used id", d.ids...)
		}
	}
	return d.newID(0)
}

// remember keeps what a receipt tells for later draws.
func (d *draws) remember(r wallet.Receipt) {
	if r.Outcome != wallet.Applied {
		return
	}
	d.ids = append(d.ids, r.ID)
	d.edges = append(d.edges, r.ID.Time().Add(wallet.ChargeMemory), r.ID.Time().Add(wallet.MoneyMemory))
	if !r.Until.IsZero() {
		d.edges = append(d.edges, r.Until, r.Until.Add(wallet.ChargeMemory))
	}
}

// edge draws an instant at which something ends, or just before or after.
func (d *draws) edge(now time.Time) (time.Time, bool) {
	d.edges = slices.DeleteFunc(d.edges, func(t time.Time) bool { return t.Before(now) })
	if len(d.edges) == 0 || d.rarely("small step", 3) {
		return time.Time{}, false
	}
	beside := pick(d, "beside", -time.Millisecond, 0, time.Millisecond)
	return pick(d, "edge", d.edges...).Add(beside), true
}

func (d *draws) wallet() wallet.WalletID { return pick(d, "wallet", d.wallets...) }
func (d *draws) digest() wallet.Digest   { return pick(d, "digest", d.digests...) }

// generation draws mostly the first two, of which one is the current one as a
// rule.
func (d *draws) generation() uint32 { return pick[uint32](d, "generation", 1, 1, 1, 1, 1, 2, 2, 3, 0) }

func (d *draws) rule() string {
	if d.rarely("no rule", 40) {
		return ""
	}
	return pick(d, "rule", "news", "films")
}

func (d *draws) resource() string {
	if d.rarely("no resource", 40) {
		return ""
	}
	return pick(d, "resource", "/a", "/b", "/c")
}

func (d *draws) amount() wallet.Amount {
	if d.rarely("extreme amount", 8) {
		return pick(d, "amount", wallet.MaxAmount, wallet.MaxAmount-1, wallet.MaxAmount-20*price, wallet.MaxAmount+1, 0, -1)
	}
	return pick(d, "amount", 1, price, 2*price, 10*price, wallet.Unit, 20*price)
}

// span draws how long something lasts.
func (d *draws) span() time.Duration {
	if d.rarely("extreme span", 20) {
		return pick(d, "span", wallet.MinWindow-1, wallet.MaxHold, wallet.MaxHold+1, wallet.MaxWindow, -1)
	}
	return pick(d, "span", time.Second, time.Minute, time.Hour, 2*time.Hour+time.Microsecond)
}

func (d *draws) note() string { return pick(d, "note", "", "lunch", "rent") }
