// Package ledgertest is how a ledger proves itself: the conformance suite that
// every [wallet.Ledger] passes, a property test that runs one in step with a
// plain model, and the model.
//
// # What it promises
//
// [Run] holds every sentence of the contract in package wallet against an
// engine, with exact receipts, and ends each case by proving that the money
// adds up. [Property] finds the sequences nobody thought of, and [Move] those that
// a move to another engine would change. [NewModel] is the contract in maps and a
// mutex, written to be read: where it and an engine disagree, one of them is wrong.
// It keeps nothing when the process ends, and is the ledger to use in tests of what
// stands above one.
//
// An engine runs the suite in one of its own tests:
//
//	func TestConformance(t *testing.T) { ledgertest.Run(t, engine) }
//	func TestProperty(t *testing.T)    { ledgertest.Property(t, engine) }
//
// # What it does not know
//
// How an engine stores anything, what a crash does to it, and how fast it is:
// those are the engine's own tests. It imports testing, so only tests import
// it.
package ledgertest
