package caddymodule

import (
	"net/http"
	"net/url"
)

// keepOwnPath undoes a rewrite of an address of the wallet's: a site that falls
// back to one page for every file that it does not have, as with try_files,
// would have no wallet, and could not be paid.
func keepOwnPath(r *http.Request, asked *url.URL) {
	if asked.Path == r.URL.Path {
		return
	}
	_, ours := endpoints[asked.Path]
	if _, kiosks := kioskEndpoints[asked.Path]; ours || kiosks {
		*r.URL = *asked
		r.RequestURI = r.URL.RequestURI()
	}
}
