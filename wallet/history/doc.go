// Package history moves a ledger from one engine to another: all that happened
// in it, as a file, and that file carried out again on an empty ledger.
//
// # What it promises
//
// A ledger is the fold of what was done to it. [Write] asks a [Source] for all
// of that, in order, and [Replay] does it again with the target's own methods,
// at a clock that stands at each deed's time. The target judges every operation
// for itself, so that no file brings money into being: it must answer Applied,
// with the amount and the balance that the source had. At the end its books are
// recomputed and must have the sums that the file ends with (invariants 1 and
// 7). Wallets, entries, passes, grants, holds, registers, vouchers with their serial
// numbers, and what a ledger remembers of ids: all of it comes out as it was.
//
// A file that was cut, altered or written by something else is refused before
// the target is opened, and a target that is not empty before anything is done
// to it. A replay that fails leaves a part of the history in the target, which
// must be emptied before the next attempt; the source is never written to.
//
// # What it does not know
//
// Engines, and where they keep what. A source that is at work meanwhile is told
// up to the instant at which it was asked, and no later: to move, stop what
// charges first.
//
// An operation is told with what it came to, where the journal does not keep
// what was asked. A retry that begins before the move and ends after it is then
// a Conflict and not Replayed, and changes nothing: that of a charge which took
// a visit instead of its price, of a bundle or a capture whose end was that of
// an earlier one, and of a transfer into a wallet that named a generation. So is
// that of an operation whose id was used for several wallets, where the target
// knows an id for all of them: all but the first get an id of their own there.
//
// # The file
//
// Lines of JSON, each at most 128 KiB: a header, a line for each deed, a trailer.
//
//	{"format":"caddy-paywall history","version":1,"currency":"USD"}
//	{"time":1772366399123,"do":"create","with":{"id":"019c…","wallet":"5e0c…"}}
//	{"time":1772366399200,"do":"transfer","amount":"5","balance":"5","with":{"id":"019c…",
//	  "from":"funding:operator","to":"wallet:5e0c…","amount":"5"}}
//	{"end":{"deeds":2,"wallets":1,"money":"5","site":"0","funding":"-5","sha256":"…"}}
//
// amount and balance are those of the receipt. with has the fields of the
// operation, as package wallet names them, and none that is zero: times as
// milliseconds since 1970 and durations as milliseconds, amounts as decimals,
// ids in 36 characters, digests in hex, accounts as [wallet.Account] writes
// them, and text that is not UTF-8 as {"hex":"…"}. The trailer has the SHA-256 of
// everything before it; money is what all wallets have and hold.
//
// The hash finds accidents. Who can write the file can make another, as who can
// write a ledger can: keep it as the ledger is kept. It says who read what. It has
// no code in it, only digests under the paywall's secret, so that vouchers and
// recovery codes go on to work where the same secret is configured, and nowhere
// else.
package history
