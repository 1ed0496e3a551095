// Package caddymodule puts a price on pages that Caddy serves. It is the edge
// of the paywall: the only packages of the project that import Caddy.
//
// Modules:
//
//	paywall                 the app: currency, ledger, keys      [App]
//	http.handlers.paywall   a price in a route, and /.paywall/*  [Handler]
//	paywall.ledgers.local   the embedded ledger                  [LocalLedger]
//	admin.api.paywall       the operator's routes, which the command caddy paywall calls
//
// # What it promises
//
// A request for a priced page is charged at the commit point: when the final
// status is known and before the first byte leaves. A 2xx is charged (204 and
// 205, which carry nothing, are not); no other answer is. If the charge fails
// there, nothing of the page leaves. Nothing is buffered. The ledger outlives a
// reload of the configuration, and an operation that a reload overtakes is
// settled by the configuration that began it.
//
// A ledger that has stopped is closed and opened again, without a restart, until
// that works; the log says why and what to do. Until then, and while it is late,
// whatever needs it gets 503 with Retry-After at once: never a 402, which would
// ask for a second payment, never a free page, and no requests that pile up.
//
// A client's wallet token never reaches the upstream, a log, an error or a URL.
//
// # What it does not know
//
// How a balance is stored (package wallet and its engines) and what a request
// owes (package meter).
package caddymodule
