// Command upstream answers every request on the address that is its argument
// with the same page of 1 KB: the site behind the reverse_proxy that package
// bench measures. Below /debug/pprof/ are the profiles of net/http/pprof.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	_ "net/http/pprof" //nolint:gosec // listens where the benchmark says, which is loopback
	"os"
	"time"
)

const pageSize = 1 << 10 // bytes, as of the file that file_server serves

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: upstream <address>")
		os.Exit(2)
	}
	page := bytes.Repeat([]byte("x"), pageSize)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // a client that has left is none of its business
	})
	server := &http.Server{Addr: os.Args[1], ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
