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
// wallets, few resources, ids that come back, amounts at the limits. Most
// operations are aimed at something that is there. What it draws depends on
// rapid alone, and not on the engine.
type draws struct {
	rt       *rapid.T
	clock    *Clock
	current  func(wallet.WalletID) uint32 // a wallet's generation
	made     uint64                       // ids so far
	wallets  []wallet.WalletID            // the first three are there from the start
	digests  []wallet.Digest              // the first is none
	ids      []wallet.OpID                // used before
	twin     wallet.Hold                  // the last hold drawn
	held     []wallet.Release             // holds that were made
	ahead    []wallet.Settlement          // charges that were made ahead, without their ids
	charged  []wallet.Settlement          // charges by id
	codes    []wallet.Digest              // vouchers that were issued
	puts     []wallet.Put                 // that took effect, in place of the value they replaced
	edges    []time.Time                  // when something ends
	accounts []wallet.Account
	once     bool // no id is used twice
	apart    bool // a history is put together from several journals
	openers  map[wallet.Digest]wallet.WalletID
	parts    bool // of accounts, with a limit each: the model's are whole, so none may be reached
}

func newDraws(rt *rapid.T, clock *Clock, current func(wallet.WalletID) uint32) *draws {
	d := &draws{openers: make(map[wallet.Digest]wallet.WalletID), rt: rt, clock: clock, current: current, digests: []wallet.Digest{{}}}
	for i := range byte(5) {
		d.wallets = append(d.wallets, wallet.WalletID{0xa0, i})
		d.accounts = append(d.accounts, wallet.WalletAccount(d.wallets[i]))
	}
	d.accounts = append(d.accounts, charity, wallet.Account{Name: "funding:"}, wallet.FundingVoucher, wallet.Site,
		wallet.FundingOperator, wallet.Account{Name: "funding:sms"}, card)
	for i := range byte(8) {
		d.digests = append(d.digests, wallet.Digest{0xd0, i})
	}
	return d
}

func pick[T any](d *draws, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(d.rt, label)
}

// rarely is true where all of so many tossed coins show heads. Ranges are no
// good for it: rapid draws their ends more often than what lies between.
func (d *draws) rarely(label string, coins int) bool {
	for range coins {
		if !rapid.Bool().Draw(d.rt, label) {
			return false
		}
	}
	return true
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
	switch {
	case !d.once && d.rarely("used id", 4) && len(d.ids) > 0:
		return pick(d, "id", d.ids...)
	case d.rarely("id of another time", 5):
		return d.newID(pick(d, "away",
			-wallet.ChargeMemory, -wallet.ChargeMemory-ms, -wallet.MoneyMemory, -wallet.MoneyMemory-ms,
			wallet.MaxClockSkew, wallet.MaxClockSkew+ms))
	}
	return d.newID(0)
}

// remember keeps what an operation that took effect leaves for later draws.
func (d *draws) remember(op any, r wallet.Receipt) {
	d.ids = append(d.ids, r.ID)
	d.edges = append(d.edges, r.ID.Time().Add(wallet.ChargeMemory), r.ID.Time().Add(wallet.MoneyMemory))
	if !r.Until.IsZero() {
		d.edges = append(d.edges, r.Until)
	}
	switch op := op.(type) {
	case wallet.Charge:
		d.charged = recent(d.charged, wallet.Settlement{Wallet: op.Wallet, Resource: op.Resource, Charge: op.ID})
		if op.Ahead {
			d.ahead = recent(d.ahead, wallet.Settlement{Wallet: op.Wallet, Resource: op.Resource})
		}
	case wallet.Hold:
		d.held = recent(d.held, wallet.Release{Wallet: op.Wallet, Hold: op.ID})
		d.edges = append(d.edges, r.Until.Add(wallet.ChargeMemory))
	case wallet.Put:
		d.puts = recent(d.puts, op)
	case wallet.IssueVouchers:
		d.codes = append(d.codes, op.Digests...)
		if !op.Expires.IsZero() {
			d.edges = append(d.edges, cut(op.Expires))
		}
	}
}

// recent appends to a list of the last few: what is older has mostly ended.
func recent[T any](list []T, item T) []T {
	const few = 3
	list = append(list, item)
	return list[max(0, len(list)-few):]
}

// nextEdges is how many of the next ends the clock mostly moves to: further
// ones would leave nothing alive to test.
const nextEdges = 3

// edge draws an instant at which something ends, or just before or after.
func (d *draws) edge(now time.Time) (time.Time, bool) {
	d.edges = slices.DeleteFunc(d.edges, func(t time.Time) bool { return t.Before(now) })
	slices.SortFunc(d.edges, time.Time.Compare)
	d.edges = slices.CompactFunc(d.edges, time.Time.Equal)
	if len(d.edges) == 0 || d.rarely("small step", 1) {
		return time.Time{}, false
	}
	next := d.edges[:min(len(d.edges), nextEdges)]
	if d.rarely("far", 3) {
		next = d.edges
	}
	beside := pick(d, "beside", 0, -time.Millisecond, time.Millisecond)
	return pick(d, "edge", next...).Add(beside), true
}

func (d *draws) wallet() wallet.WalletID {
	if d.rarely("a wallet made later", 3) {
		return pick(d, "wallet", d.wallets[3:]...)
	}
	return pick(d, "wallet", d.wallets[:3]...)
}

func (d *draws) digest() wallet.Digest { return pick(d, "digest", d.digests...) }

// opener draws what is to open a wallet. In a history that is put together from parts, one
// digest opens one wallet: which of two had it first in one instant, no journal says.
func (d *draws) opener(id wallet.WalletID) wallet.Digest {
	digest := d.digest()
	if d.apart {
		if other, taken := d.openers[digest]; taken && other != id {
			return wallet.Digest{}
		}
		d.openers[digest] = id
	}
	return digest
}

// generation draws a credential of a wallet: mostly the current one.
func (d *draws) generation(id wallet.WalletID) uint32 {
	if d.rarely("another generation", 4) {
		return pick[uint32](d, "generation", 1, 2, 0, 3)
	}
	return d.current(id)
}

func (d *draws) rule() string {
	if d.rarely("no rule", 6) {
		return ""
	}
	return pick(d, "rule", "news", "films")
}

func (d *draws) resource() string {
	if d.rarely("no resource", 6) {
		return ""
	}
	return pick(d, "resource", "/a", "/b", "/c")
}

func (d *draws) amount() wallet.Amount {
	if d.rarely("extreme amount", 3) {
		if d.parts {
			return pick(d, "amount", 0, -1, wallet.MaxAmount+1)
		}
		return pick(d, "amount", wallet.MaxAmount, 0, -1, wallet.MaxAmount+1, wallet.MaxAmount-1, wallet.MaxAmount-20*price)
	}
	return pick(d, "amount", price, 1, 2*price, wallet.Unit, 20*price, 10*price)
}

// span draws how long something lasts.
func (d *draws) span() time.Duration {
	if d.rarely("extreme span", 4) {
		return pick(d, "span", wallet.MaxHold, wallet.MinWindow-1, wallet.MaxHold+1, -1, wallet.MaxWindow)
	}
	return pick(d, "span", time.Minute, time.Second, 2*time.Hour+time.Microsecond, time.Hour)
}

func (d *draws) note() string { return pick(d, "note", "", "lunch", "rent") }
