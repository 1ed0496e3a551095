// Command bare is Caddy without the paywall, built of the same modules: what
// package bench compares with. The environment variable BENCH_BALLAST is a
// number of bytes that it keeps in use and never touches.
package main

import (
	"os"
	"runtime"
	"strconv"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

func main() {
	size, _ := strconv.Atoi(os.Getenv("BENCH_BALLAST")) // absent: none
	ballast := make([]byte, max(size, 0))
	caddycmd.Main()
	runtime.KeepAlive(ballast)
}
