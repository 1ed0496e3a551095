package caddymodule

import "net/http"

// overHTTP2 is the visitor with a client that speaks HTTP/2 from the first byte.
func (v *visitor) overHTTP2() *visitor {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	v.Cleanup(transport.CloseIdleConnections)
	other := *v
	other.client = &http.Client{Transport: transport, CheckRedirect: dontFollow}
	return &other
}
