// Command bench says what the paywall costs: the same site, with the paywall
// and without, under the same load. Run it with make bench.
//
// # What it measures
//
// Three programs run on free ports of this machine, each with a data directory
// of its own: Caddy without the paywall (package bare), Caddy with it, and a
// plain upstream (package upstream). Both Caddys get one Caddyfile, which
// differs in the line that says the price: a file_server of a page of 1 KB, and
// a reverse_proxy to the upstream. A rewrite behind the price lets one file be
// any number of pages. One thread of wrk, driven by load.lua, sends both the
// same bytes.
//
// A row is one kind of request, from a visitor of a free page to a new page paid
// for at every request by 100 000 wallets in turn, each view on disk before it
// leaves. The runs are interleaved: bare Caddy runs before and after every row,
// and a row's ratio is its rate divided by the mean of these two. What is
// printed is the median of the rounds, with the least and the greatest. The
// ratio holds for this machine, whose cores all of the programs share, wrk too.
// The ratio by CPU divides the processor time that all programs take for an
// answer of bare Caddy by what they take for one of the row: it is what the rate
// would be if nothing ever waited, and holds on a busy machine too.
//
// The paywall's process has its ledger's memory in use, and the Go runtime
// collects garbage when as much again has been allocated: more seldom than in a
// Caddy that has next to nothing in use and makes some 30 KB of garbage for a
// file. That would flatter the paywall: -ballast=false shows by how much. So bare
// Caddy gets as much memory in use, and what is left is the paywall's own work.
//
// # The ledger on Redis
//
// With -redis the rows that pay run again with each of the ways to have the ledger on
// Redis (redissetup.go), whose servers are the benchmark's own, on the same machine and
// disk. Two Caddys stand beside two bare ones, and one wrk for each drives them: what is
// printed are the worse of their latencies. Redis' processor time counts in the ratio
// by CPU. Then the benchmark charges by itself, without a Caddy. The AOF is never
// rewritten meanwhile; -redis-memory measures how it grows, and Redis' memory.
//
// # Taps
//
// With -taps cards are tapped at a kiosk (taps.go): by their number, by a message that they
// sign, by a mutual authentication that the paywall drives, and bank cards that the kiosk
// checks. The cards are personalised by the paywall, as real ones. The time of a reader and
// of a card's chip is not in it. The books have to have what was tapped.
//
// # What it promises
//
// No row is fast because it did something else. Every answer has the status
// that the row is about, the paywall's own count of outcomes equals the answers
// that wrk counted, and after a row that pays the ledger has exactly as many
// entries more: wrk ends when nothing is in flight. A run in which one of these
// is not so ends the benchmark with an error. On Redis the entries of a run are the
// views that the site's account was paid for, and the journal proves all of them in the
// end.
//
// # What it does not know
//
// The network, TLS and HTTP/2; what else the machine is doing, which widens the
// range from least to greatest; whether the disk keeps what it says it has
// synced. Processor time is read from /proc, so it runs on Linux.
package main
