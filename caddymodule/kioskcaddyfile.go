package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// unmarshal reads the option kiosks:
//
//	kiosks {
//	    product <name> <price> [<title>]
//	    limit   uid|sun <a tap> <a day>
//	    hold    <duration>
//	    guard   <duration>
//	}
func (k *Kiosks) unmarshal(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.Errf("kiosks takes a block, no arguments; remove %q", d.Val())
	}
	k.Products, k.Limits = make(map[string]KioskProduct), make(map[string]KioskLimits)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		var err error
		switch args := d.RemainingArgs(); {
		case option == "product" && (len(args) == 2 || len(args) == 3):
			p := KioskProduct{Price: args[1]}
			if len(args) == 3 {
				p.Title = args[2]
			}
			if _, twice := k.Products[args[0]]; twice {
				return d.Errf("product %s is given twice; keep one", args[0])
			}
			k.Products[args[0]] = p
		case option == "limit" && len(args) == 3:
			if _, twice := k.Limits[args[0]]; twice {
				return d.Errf("limit %s is given twice; keep one", args[0])
			}
			k.Limits[args[0]] = KioskLimits{Tap: args[1], Day: args[2]}
		case option == "hold" && len(args) == 1:
			k.Hold, err = parseKioskDuration(args[0])
		case option == "guard" && len(args) == 1:
			k.Guard, err = parseKioskDuration(args[0])
		default:
			return d.Errf("kiosks has product <name> <price> [<title>], limit uid|sun <a tap> <a day>, hold and guard <duration>; not %q with %d arguments", option, len(args))
		}
		if err != nil {
			return d.WrapErr(err)
		}
	}
	if err := k.provision(); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

func parseKioskDuration(text string) (caddy.Duration, error) {
	d, err := caddy.ParseDuration(text)
	return caddy.Duration(d), err
}
