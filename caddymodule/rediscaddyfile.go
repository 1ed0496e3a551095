package caddymodule

import (
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis"
)

// UnmarshalCaddyfile sets up the ledger from Caddyfile tokens:
//
//	ledger redis {
//	    url            <redis://[user:password@]host[:port][/db]>
//	    address        <host:port>...
//	    username       <name>
//	    password       <password>
//	    db             <number>
//	    tls [{
//	        ca          <file>
//	        cert        <file>
//	        key         <file>
//	        server_name <name>
//	    }]
//	    sentinel <master> [{
//	        username <name>
//	        password <password>
//	    }]
//	    cluster
//	    name           <name>
//	    shards         <number>
//	    durability     strict | durable | fast
//	    assume_durable
//	    timeout        <duration>
//	    archive        <directory>
//	    keep           <duration>
//	}
//
// Either url or address is needed, and nothing else. Passwords are placeholders
// such as {env.REDIS_PASSWORD} or {file./run/secrets/redis}; see RedisLedger.
func (l *RedisLedger) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the engine's name
	if d.NextArg() {
		return d.Err("ledger redis takes no arguments but a block; write ledger redis { and url redis://host:port in it")
	}
	if err := eachOption(d, l.unmarshalOption); err != nil {
		return err
	}
	if l.URL == "" && len(l.Addresses) == 0 {
		return d.Err("ledger redis needs the servers; write url redis://host:port, or address host:port, in its block")
	}
	return nil
}

// eachOption reads a block of options, each of which may stand there once. An
// option with a block of its own has read it.
func eachOption(d *caddyfile.Dispenser, read func(d *caddyfile.Dispenser, option string) error) error {
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if seen[option] {
			return d.Errf("%s is given twice; keep one", option)
		}
		seen[option] = true
		if err := read(d, option); err != nil {
			return err
		}
		if d.NextArg() { // which may be a password in two words
			return d.Errf("%s has an argument too many; remove it, or put quotes around a text with spaces", option)
		}
		if !hasBlock[option] && d.NextBlock(d.Nesting()) {
			return d.Errf("%s has no options; remove its block", option)
		}
	}
	return nil
}

var hasBlock = map[string]bool{"tls": true, "sentinel": true}

func (l *RedisLedger) unmarshalOption(d *caddyfile.Dispenser, option string) (err error) {
	switch option {
	case "url":
		return textArg(d, &l.URL)
	case "address":
		if l.Addresses = d.RemainingArgs(); len(l.Addresses) == 0 {
			return d.Err("address needs the server's host:port; of a cluster and of Sentinels several, in one line")
		}
	case "username":
		return textArg(d, &l.Username)
	case "password":
		return textArg(d, &l.Password)
	case "db":
		l.DB, err = numberArg(d, 0, 1<<20)
	case "tls":
		l.TLS = new(RedisTLS)
		return eachOption(d, l.TLS.unmarshalOption)
	case "sentinel":
		l.Sentinel = new(RedisSentinel)
		if err := textArg(d, &l.Sentinel.Master); err != nil {
			return d.Err("sentinel needs the name of the master that it watches; write sentinel mymaster")
		}
		return eachOption(d, l.Sentinel.unmarshalOption)
	case "cluster":
		l.Cluster = true
	case "name":
		return textArg(d, &l.Name)
	case "shards":
		l.Shards, err = numberArg(d, 1, redis.MaxShards)
	case "durability":
		if err := textArg(d, &l.Durability); err != nil {
			return d.Err("durability needs to be strict, durable or fast")
		}
		if _, err := redis.ParseDurability(l.Durability); err != nil {
			return d.WrapErr(err)
		}
	case "assume_durable":
		l.AssumeDurable = true
	case "timeout":
		return durationArg(d, &l.Timeout)
	case "archive":
		return textArg(d, &l.Archive)
	case "keep":
		return durationArg(d, &l.Keep)
	default:
		return d.Errf("ledger redis has no option %q; it has url, address, username, password, db, tls, sentinel, cluster, "+
			"name, shards, durability, assume_durable, timeout, archive and keep", option)
	}
	return err
}

func (t *RedisTLS) unmarshalOption(d *caddyfile.Dispenser, option string) error {
	switch option {
	case "ca":
		return textArg(d, &t.CA)
	case "cert":
		return textArg(d, &t.Cert)
	case "key":
		return textArg(d, &t.Key)
	case "server_name":
		return textArg(d, &t.ServerName)
	}
	return d.Errf("tls has no option %q; it has ca, cert, key and server_name", option)
}

func (s *RedisSentinel) unmarshalOption(d *caddyfile.Dispenser, option string) error {
	switch option {
	case "username":
		return textArg(d, &s.Username)
	case "password":
		return textArg(d, &s.Password)
	}
	return d.Errf("sentinel has no option %q; it has username and password", option)
}

// numberArg reads a number in bounds.
func numberArg(d *caddyfile.Dispenser, least, most int) (int, error) {
	option := d.Val()
	if !d.NextArg() {
		return 0, d.Errf("%s needs a number, %d to %d", option, least, most)
	}
	n, err := strconv.Atoi(d.Val())
	if err != nil || n < least || n > most {
		return 0, d.Errf("%q is no number of %s; write %d to %d", d.Val(), option, least, most)
	}
	return n, nil
}
