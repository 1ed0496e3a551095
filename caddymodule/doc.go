// Package caddymodule puts a price on pages that Caddy serves. It is the edge
// of the paywall: the only packages of the project that import Caddy.
//
// Modules:
//
//	paywall                 the app: currency, ledger, keys      [App]
//	http.handlers.paywall   a price in a route, and /.paywall/*  [Handler]
//	paywall.ledgers.local   the embedded ledger                  [LocalLedger]
//	paywall.ledgers.redis   the ledger that Caddys share         [RedisLedger]
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
// # Where the microseconds go
//
// Of a view that is paid for through reverse_proxy, at 256 connections on two
// cores of a virtual Xeon, Caddy's process takes some 70 microseconds and the
// paywall 12 of them, as the profile of make bench has it (-profile):
//
//	1.0  the token: its SHA-256, and the look-up among those known to be good
//	1.1  what the wallet could do here: mostly memory that is in no cache
//	2.5  before the upstream: credentials hidden, who reads and what it costs
//	     told, a context that can stop the upstream, the gate
//	2.6  the charge: the id, the balance, the grant, the record, going to sleep
//	     until the flight has landed and waking up
//	0.9  saying it on the answer, mostly a header's map that grows past eight
//	1.2  the rest of the commit point: private, Vary, metrics
//	2.0  the journal's writer: one write and sync for all that are aboard
//	0.7  routing, more than one directive less would take
//
// A token that nobody has verified costs 60 more. What is not in the list was
// taken out of it: placeholders are written when something asks, metrics are
// looked up once, settlements share a timer, requests share the App's lease,
// amounts are divided and not computed. A page that is read again with a receipt
// costs 2.5, of which its HMAC is 0.3. A stranger's 402 is filled in, not
// rendered: 2 to 4 (package press). A free page costs the routing and no
// allocation.
//
// # What it does not know
//
// How a balance is stored (package wallet and its engines) and what a request
// owes (package meter).
package caddymodule
