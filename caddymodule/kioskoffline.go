package caddymodule

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// KioskOffline is what kiosks may grant by themselves while they do not reach the paywall,
// to cards whose holders allow it.
type KioskOffline struct {
	// What is set aside for a card at a kiosk where it pays, a decimal; it costs nobody a
	// risk. Default: nothing is.
	Lease string `json:"lease,omitempty"`

	// How long it can be spent there, at most 28 days. What is left goes back when the
	// kiosk has told of it, or a day later by itself. Default: 12 hours.
	LeaseTime caddy.Duration `json:"lease_time,omitempty"`

	// What is granted without a lease. Whoever pays it may have spent their money
	// meanwhile, and owes it then. Default: nothing is.
	Risk *KioskRisk `json:"risk,omitempty"`

	// How long a kiosk goes on without a lease when it has lost the paywall. Default: 12
	// hours.
	Age caddy.Duration `json:"age,omitempty"`

	// How old a kiosk's list of denied cards may be, for it to grant anything. Default: 24
	// hours.
	Denied caddy.Duration `json:"denied,omitempty"`

	// The least that a card must prove: "mutual", that it has its key, or "uid", its number
	// alone, which pays from a lease and not without. Default: "mutual".
	Proof string `json:"proof,omitempty"`
}

// KioskRisk bounds what kiosks grant without a lease. Amounts are decimals.
type KioskRisk struct {
	Tap   string `json:"tap"`             // each
	Card  string `json:"card"`            // of one card at a kiosk since it has last paid there online
	Taps  int    `json:"taps"`            // and so often
	Total string `json:"total,omitempty"` // of a kiosk since it has told of everything; default: 200.00
	Count int    `json:"count,omitempty"` // and so often; default: 500
}

const (
	defaultLeaseTime     = caddy.Duration(12 * time.Hour)
	defaultOfflineAge    = caddy.Duration(12 * time.Hour)
	defaultOfflineDenied = caddy.Duration(24 * time.Hour)
	maxLeaseTime         = caddy.Duration(28 * 24 * time.Hour)
	maxOffline           = caddy.Duration(7 * 24 * time.Hour)
	defaultTotal         = "200.00"
	defaultCount         = 500
	mostTaps             = 1000
	mostCount            = 10_000
)

// provision reads the bounds.
func (o *KioskOffline) provision() (*kiosk.Offline, error) {
	for d, given := range map[*caddy.Duration]caddy.Duration{&o.LeaseTime: defaultLeaseTime, &o.Age: defaultOfflineAge, &o.Denied: defaultOfflineDenied} {
		if *d == 0 {
			*d = given
		}
	}
	proof := kiosk.TierMutual
	switch {
	case o.Lease == "" && o.Risk == nil:
		return nil, errors.New("it needs a lease, a risk, or both")
	case o.LeaseTime < caddy.Duration(time.Minute) || o.LeaseTime > maxLeaseTime:
		return nil, fmt.Errorf("lease time %v must be a minute to %v", time.Duration(o.LeaseTime), time.Duration(maxLeaseTime))
	case o.Age < 0 || o.Age > maxOffline, o.Denied < 0 || o.Denied > maxOffline:
		return nil, fmt.Errorf("age and denied must be at most %v", time.Duration(maxOffline))
	case o.Proof == kiosk.TierUID.String():
		proof = kiosk.TierUID
	case o.Proof != "" && o.Proof != kiosk.TierMutual.String():
		return nil, fmt.Errorf("proof %q: it is uid or mutual", o.Proof)
	}
	provided := &kiosk.Offline{LeaseFor: time.Duration(o.LeaseTime), Age: time.Duration(o.Age), Denied: time.Duration(o.Denied), Proof: proof}
	if o.Lease != "" {
		var err error
		if provided.Lease, err = wallet.ParseAmount(o.Lease); err != nil || provided.Lease <= 0 {
			return nil, errors.Join(errors.New("lease: it is an amount above zero"), err)
		}
	}
	if o.Risk == nil {
		return provided, nil
	}
	var err error
	provided.Risk, err = o.Risk.provision()
	return provided, err
}

func (r *KioskRisk) provision() (risk kiosk.Risk, err error) {
	if r.Total == "" {
		r.Total = defaultTotal
	}
	if r.Count == 0 {
		r.Count = defaultCount
	}
	for to, text := range map[*wallet.Amount]string{&risk.Tap: r.Tap, &risk.Card: r.Card, &risk.Total: r.Total} {
		if *to, err = wallet.ParseAmount(text); err != nil {
			return risk, fmt.Errorf("risk: %w", err)
		}
	}
	risk.Taps, risk.Count = r.Taps, r.Count
	switch {
	case risk.Tap <= 0 || risk.Card < risk.Tap || risk.Total < risk.Card:
		return risk, errors.New("risk: first what one tap may cost, then what a card may, then, in total, what a kiosk may: each at least as much")
	case r.Taps < 1 || r.Taps > mostTaps || r.Count < 1 || r.Count > mostCount:
		return risk, fmt.Errorf("risk: 1 to %d taps of a card, and in total at most %d", mostTaps, mostCount)
	}
	return risk, nil
}

// unmarshal reads the block:
//
//	offline {
//	    lease  <amount> [<duration>]
//	    risk   <a tap> <a card> <taps>
//	    total  <amount> <taps>
//	    age    <duration>
//	    denied <duration>
//	    proof  mutual|uid
//	}
func (o *KioskOffline) unmarshal(d *caddyfile.Dispenser) error {
	total, count := "", 0
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		var err error
		args := d.RemainingArgs()
		switch {
		case seen[option]:
			return d.Errf("%s is given twice; keep one", option)
		case option == "lease" && (len(args) == 1 || len(args) == 2):
			if o.Lease = args[0]; len(args) == 2 {
				o.LeaseTime, err = parseKioskDuration(args[1])
			}
		case option == "risk" && len(args) == 3:
			o.Risk = &KioskRisk{Tap: args[0], Card: args[1]}
			o.Risk.Taps, err = strconv.Atoi(args[2])
		case option == "total" && len(args) == 2:
			total = args[0]
			count, err = strconv.Atoi(args[1])
		case option == "age" && len(args) == 1:
			o.Age, err = parseKioskDuration(args[0])
		case option == "denied" && len(args) == 1:
			o.Denied, err = parseKioskDuration(args[0])
		case option == "proof" && len(args) == 1:
			o.Proof = args[0]
		default:
			return d.Errf("offline has lease <amount> [<duration>], risk <a tap> <a card> <taps>, total <amount> <taps>, age and denied <duration>, and proof mutual|uid; not %q with %d arguments", option, len(args))
		}
		if err != nil {
			return d.WrapErr(err)
		}
		seen[option] = true
	}
	if seen["total"] {
		if o.Risk == nil {
			return d.Err("total bounds what is granted without a lease: it needs risk")
		}
		o.Risk.Total, o.Risk.Count = total, count
	}
	return nil
}
