package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// The two ways to serve a page.
const (
	fileServer   = "file_server"
	reverseProxy = "reverse_proxy"
)

const (
	pricedPath = "/p/" // what begins the address of every page that has a price
	freePath   = "/f/" // and of every other

	ruleName = "page"
	price    = "0.001"
	pageSize = 1 << 10 // bytes, as of the upstream's page
)

// addresses are where the programs listen.
type addresses struct {
	admin, files, proxy string
}

func drawAddresses() (a addresses, err error) {
	for _, address := range []*string{&a.admin, &a.files, &a.proxy} {
		if *address, err = freeAddress(); err != nil {
			return a, err
		}
	}
	return a, nil
}

// of is the address of the site that serves one way.
func (a addresses) of(site string) string {
	if site == fileServer {
		return a.files
	}
	return a.proxy
}

// sites is the Caddyfile of both Caddys; what has a price is left out for the
// bare one. The rewrites are in a route because that stands behind the paywall
// in the order of directives. The proxy keeps a connection for each of wrk's:
// with Caddy's default of 32 it would make new ones all the time.
const sites = `{
	admin {admin}
	auto_https off
	persist_config off
	log {
		level ERROR
	}
	{option}
}

(site) {
	bind 127.0.0.1
	{priced}
}

http://{files} {
	import site
	route {
		rewrite * /page.html
		file_server {
			root "{root}"
		}
	}
}

http://{proxy} {
	import site
	reverse_proxy {upstream} {
		transport http {
			keepalive_idle_conns_per_host 1024
		}
	}
}
`

// paywallOption and pricedLine are what the bare Caddyfile does not have. The
// keys are given, because the tokens are minted before Caddy starts; the limit
// is one that is counted and never reached, as all of wrk is one address.
const (
	paywallOption = `paywall {
		{ledger}
		secret {env.` + secretVariable + `}
		signing_keys {env.` + signingVariable + `}
		unpaid_limit 1000000 1s
	}`
	pricedLine = `paywall ` + pricedPath + `* ` + price + ` {
		rule ` + ruleName + `
	}`
)

// writeSites writes the page and a Caddyfile into dir. ledger is the option that
// says which one, empty for the bare Caddy.
func writeSites(dir, name string, at addresses, upstream, ledger string) (caddyfile string, err error) {
	root := filepath.Join(dir, "root")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(root, "page.html"), bytes.Repeat([]byte("x"), pageSize), 0o600); err != nil {
		return "", err
	}
	text := sites
	if ledger != "" {
		text = strings.NewReplacer("{option}", paywallOption, "{priced}", pricedLine).Replace(text)
	}
	text = strings.NewReplacer("{option}", "", "{priced}", "", "{ledger}", ledger, "{root}", root,
		"{admin}", at.admin, "{files}", at.files, "{proxy}", at.proxy, "{upstream}", upstream).Replace(text)
	caddyfile = filepath.Join(dir, name+".Caddyfile")
	return caddyfile, os.WriteFile(caddyfile, []byte(text), 0o600)
}
