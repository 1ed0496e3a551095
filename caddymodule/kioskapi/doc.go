// Package kioskapi is the description of what kiosks ask a paywall for, in OpenAPI 3.1, as
// every paywall with kiosks serves it at /.paywall/kiosk/openapi.json.
//
// The document is made of package wire's source, whose comments become descriptions, and of
// the list of calls in this package's tests, by
//
//	make openapi
//
// It promises to be what that makes: a test compares them. It does not know who serves it.
package kioskapi

import _ "embed"

// Document is the description, JSON.
//
//go:embed openapi.json
var Document []byte
