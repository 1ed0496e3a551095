// Package meter says what a request owes: rules and their offers, the resource
// that a payment is for, and the quote that holds a price still while a reader
// decides.
//
// # What it promises
//
// Everything here is a pure function of its arguments: no I/O, no clock of its
// own, no state. The same rule and the same request make the same quote on
// every machine. A rule that passes [Rule.Check] never makes an operation that
// a ledger refuses as invalid.
//
// # What it does not know
//
// HTTP, Caddy, ledgers, who pays, and whether they can.
package meter
