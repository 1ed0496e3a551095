package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// keepOwnPath undoes a rewrite of an address of the wallet's: a site that falls
// back to one page for every file that it does not have, as with try_files,
// would have no wallet, and could not be paid.
func keepOwnPath(r *http.Request) {
	before, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || before.URL.Path == r.URL.Path {
		return
	}
	if _, ours := endpoints[before.URL.Path]; ours {
		*r.URL = *before.URL
		r.RequestURI = r.URL.RequestURI()
	}
}
