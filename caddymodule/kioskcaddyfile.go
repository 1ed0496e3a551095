package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// unmarshal reads the option kiosks:
//
//	kiosks {
//	    product <name> <price> [<title>]
//	    proof   <product> <tier>
//	    opens   <product> <path> <duration> [<start>]
//	    limit   <tier> <a tap> <a day>
//	    kiosk   <name> {
//	        proof <tier>
//	        limit <tier> <a tap> <a day>
//	    }
//	    hold    <duration>
//	    guard   <duration>
//	    show_balance
//	    offline { … }
//	}
func (k *Kiosks) unmarshal(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.Errf("kiosks takes a block, no arguments; remove %q", d.Val())
	}
	k.Products, k.Limits, k.Kiosks = make(map[string]KioskProduct), make(map[string]KioskLimits), make(map[string]KioskTerms)
	proofs, opens := make(map[string]string), make(map[string]*KioskOpens)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		var err error
		switch args := d.RemainingArgs(); {
		case option == "product" && (len(args) == 2 || len(args) == 3):
			p := KioskProduct{Price: args[1]}
			if len(args) == 3 {
				p.Title = args[2]
			}
			err = once(d, k.Products, "product", args[0], p)
		case option == "proof" && len(args) == 2:
			err = once(d, proofs, "proof", args[0], args[1])
		case option == "opens" && (len(args) == 3 || len(args) == 4):
			o := KioskOpens{Path: args[1]}
			if o.Time, err = parseKioskDuration(args[2]); err == nil {
				err = once(d, opens, "opens", args[0], &o)
			}
			if len(args) == 4 {
				o.Start = args[3]
			}
		case option == "limit" && len(args) == 3:
			err = once(d, k.Limits, "limit", args[0], KioskLimits{Tap: args[1], Day: args[2]})
		case option == "kiosk" && len(args) == 1:
			var terms KioskTerms
			if err = terms.unmarshal(d); err == nil {
				err = once(d, k.Kiosks, "kiosk", args[0], terms)
			}
		case option == "hold" && len(args) == 1:
			k.Hold, err = parseKioskDuration(args[0])
		case option == "guard" && len(args) == 1:
			k.Guard, err = parseKioskDuration(args[0])
		case option == "offline" && len(args) == 0 && k.Offline == nil:
			k.Offline = new(KioskOffline)
			err = k.Offline.unmarshal(d)
		case option == "show_balance" && len(args) == 0 && !k.ShowBalance:
			k.ShowBalance = true
		default:
			return d.Errf("kiosks has product <name> <price> [<title>], proof <product> <tier>, opens <product> <path> <duration> [<start>], limit <tier> <a tap> <a day>, kiosk <name> { … }, hold and guard <duration>, and once show_balance and offline { … }; not %q with %d arguments", option, len(args))
		}
		if err != nil {
			return d.WrapErr(err)
		}
	}
	for name, proof := range proofs {
		p, found := k.Products[name]
		if !found {
			return d.Errf("proof %s is for a product that there is not", name)
		}
		p.Proof = proof
		k.Products[name] = p
	}
	for name, o := range opens {
		p, found := k.Products[name]
		if !found {
			return d.Errf("opens %s is for a product that there is not", name)
		}
		p.Opens = o
		k.Products[name] = p
	}
	if err := k.provision(); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

// unmarshal reads the block of one kiosk.
func (t *KioskTerms) unmarshal(d *caddyfile.Dispenser) error {
	t.Limits = make(map[string]KioskLimits)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		switch args := d.RemainingArgs(); {
		case option == "proof" && len(args) == 1 && t.Proof == "":
			t.Proof = args[0]
		case option == "limit" && len(args) == 3:
			if err := once(d, t.Limits, "limit", args[0], KioskLimits{Tap: args[1], Day: args[2]}); err != nil {
				return err
			}
		default:
			return d.Errf("a kiosk has one proof <tier>, and limit <tier> <a tap> <a day>; not %q with %d arguments", option, len(args))
		}
	}
	return nil
}

// once puts down what may be given once.
func once[T any](d *caddyfile.Dispenser, all map[string]T, option, name string, value T) error {
	if _, twice := all[name]; twice {
		return d.Errf("%s %s is given twice; keep one", option, name)
	}
	all[name] = value
	return nil
}

func parseKioskDuration(text string) (caddy.Duration, error) {
	d, err := caddy.ParseDuration(text)
	return caddy.Duration(d), err
}
