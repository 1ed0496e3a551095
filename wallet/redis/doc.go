// Package redis is the distributed durable ledger: [wallet.Ledger] on Redis 7.0 and
// later, standalone, behind Sentinels or as a Cluster, shared by any number of
// processes.
//
// # What it promises
//
// Redis decides, and this process remembers nothing that money depends on. Each question
// that an operation asks is judged and carried out by one function on one shard, whose keys
// share a hash tag and so a slot; what it changes, the entry of the journal included, is
// written at its end. The function is deterministic in what it reads, but for the time,
// which is the server's and never goes back.
//
// Questions for a shard share flights (flight.go): one command carries up to 256 of them,
// and while it is on its way the next ones gather. A flight whose answer does not come is
// sent again: who has taken effect is recognised by the id. What the client library would
// send again by itself is switched off.
//
// An acknowledgement is as durable as [Durability] says, and of money that moves
// otherwise than by a page view it is at the strictest that the servers offer. At the
// start, and every ten seconds, the servers are asked what they promise (promises.go);
// those that do not keep what they are told are refused in words, with the setting to
// change. A managed service that hides its configuration is taken at the operator's word
// alone (AssumeDurable).
//
// While a shard cannot be reached, questions are refused at once, but for one in a
// quarter of a second that tries, and each waits at most [Options].Patience. Nothing has
// to be restarted.
//
// A failover that loses what was acknowledged is noticed, by comparing the journal with
// the entry that was acknowledged last whenever there is a new connection, and repaired:
// each process carries out again what was acknowledged to it last (failover.go). The log
// says how much of it had survived, and what can no longer be covered.
//
// # What it does not know
//
// Prices, pages, Caddy; and whether the servers tell the truth about their disks. Redis
// replicates after it has acknowledged, so that a failover of a Durable ledger may lose
// what no replica had received if the processes that were told so are gone too. Strict
// waits for a replica; that is one more copy, and no consensus.
//
// # The keys
//
// A ledger has a name, and each of its shards a hash tag, {name.0} and so on. The number
// of shards is written once. A wallet lies in the shard that a hash of its id says.
//
//	wallets       a wallet a field: balance, credential, passes, and for each recent
//	              charge its id, what it paid for and until when (library/20-wallet.lua)
//	meta          the shard's part of each account with a name; the journal's newest
//	              entry; the counters of channels
//	journal       a stream: an entry a flight, numbered without gaps
//	holds, due    money set aside, and what ends when
//	grants, ids:* what does not fit into a wallet
//	money:<day>   movements of money by id, for a week
//	ahead, rules  charges made ahead; the names of rules
//	outbox:<n>    what is on its way to another shard
//
// and in the first shard alone: list, the wallets in order of creation; open:<n>, which
// recovery digest opens which; codes and vouchers; registers and their names.
//
// # Between shards
//
// A transfer between wallets of two shards debits the one and writes a parcel into an
// outbox, in one step; in another the other shard credits what has the next number. A
// parcel arrives once, whoever brings it and however often: who sent it, before it
// answers, or any process that tends the ledger later. Each wallet is linearizable; a
// transfer takes effect for the one that gives before it does for the other, and both
// before it is answered. Money on its way is its receiver's: Verify counts it so, and its
// sums are zero at every instant.
//
// An account with a name is kept in parts, one for each shard, so that no key is hot. Its
// limit is that of a part. Where a part does not do, the others' are gathered; and what
// the site has earned goes to the first shard's part every ten minutes.
//
// An id is remembered with the wallet that its operation is about. A retry finds it; the
// same id for another wallet is another operation.
//
// # The journal and its archive
//
// A record (record.go) is what was asked, word for word, and what came of it. It names
// its wallet's record before, and so a wallet's entries are a chain. With an [Archive] the
// journal goes to segment files, and out of the servers' memory once it is durable there
// and older than [Options].Keep. Without one it stays in memory for good. Verify folds
// archive and journal, beside running operations.
//
// # Why its own functions
//
// One command for each charge costs Redis 18 to 25 microseconds and the client as much,
// whatever client it is; carried out together they cost a third of that, because the
// command, the write to the AOF and its sync are shared by all on board, and so flights
// gather for a millisecond under load. The functions are a library, since a script makes all
// of its own anew whenever it runs: 90 microseconds a flight. In a charge the rest is Lua:
// it hashes every byte of every string that it makes, so that a wallet is one string, read
// and written once, and a new charge a piece behind it.
//
// # How it is tested
//
// The conformance suite and the property test of package ledgertest run on a real
// redis-server, on a Cluster of three and behind Sentinels; so do moves from and to the
// embedded engine. Histories of concurrent operations under faults are checked for
// linearizability: servers and processes killed, networks cut, delayed and half open,
// answers dropped after execution, failovers, slots that move, disks that lose power.
// Each run ends with what was acknowledged being there, once, and the books adding up.
package redis
