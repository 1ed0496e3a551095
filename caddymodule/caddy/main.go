// Command caddy is Caddy with the paywall, and with the demo magazine that
// Caddyfile.example serves.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-paywall/caddy-paywall/caddymodule"
	_ "github.com/caddy-paywall/caddy-paywall/caddymodule/demo"
)

func main() {
	caddycmd.Main()
}
