// Package local is the embedded durable ledger: [wallet.Ledger] in one
// directory, with nothing to install.
//
// # What it promises
//
// The journal is the truth, and the books in memory are a fold over it. An
// operation is decided on the books, which makes a record; the record is applied
// to the books and written to the journal; and nobody is told before it is
// durable, or told anything that rests on it. A start, a snapshot and Verify put
// the journal's records through the same apply, so that they cannot disagree
// about what a record means.
//
// Acknowledged means synced (invariant 5): it survives kill -9 and a power cut,
// on a disk that keeps what it has synced. Records that arrive while a sync is
// under way share the next one, so the cost of durability falls as the load
// rises. Holds expire by themselves. What has ended is forgotten, so memory
// follows what is live; the journal forgets nothing.
//
// After a write or sync that failed, nobody knows what the disk holds. The ledger
// never tries again: it stops, answers ErrStopped, and the log says why and what
// to do (cure.go). Close then gives everything back, and the next Open finds out:
// it reads what is there, and writes the end of the journal again and syncs it
// before it returns. So what it answers for is on the disk, and a disk that is
// full or read-only is an error of Open and not of the first charge. A read that
// failed stops nothing.
//
// Nothing is answered from bytes whose checksum was not compared: a bit that the
// disk turns over becomes an error, and never an amount.
//
// # What it does not know
//
// Other processes: one at a time has the directory, and a lock says so. Within a
// process, whoever opens the ledger shares it. It takes its clock and its
// randomness from [Options] and keeps nothing else of its caller's.
//
// # The files
//
//	lock              held while a process has the ledger
//	journal-<base>    a segment: its position in the journal, 16 hex digits
//	snapshot          the books at a position, to start sooner
//	snapshot.broken   a snapshot that did not read, set aside
//	*.new             being made; removed by the next Open
//
// A segment is a header of 64 bytes (see segment.go) and frames (frame.go), one
// for each flight: length, CRC32C, sequence number, epoch, and records, up to a
// multiple of 8. A record (codec.go) is a length of two bytes, kind, flags, id,
// hash of what was asked, time, a mask of fields and the fields. It names its
// wallet by its place in the order of creation, and its rule by the place in the
// order of appearance. A record names its wallet's record before, and so a wallet's
// entries are a chain that needs no index. A segment's file reaches ahead of its frames in zeros, and a length
// of zero is the end. The random epoch is in the segment's header and in each of
// its frames, so that what an old file left on the disk is not taken for one.
//
// On Open, whatever follows the last whole frame is a flight that a crash has
// torn, and is cut off; but where a whole frame follows it, the journal is
// damaged in the middle and Open refuses, as it does for a damaged, missing,
// foreign or short segment. A snapshot (snapshotcodec.go) is checked whole; a
// broken one is set aside and the journal read from its beginning. Segments are
// never deleted and never changed once the next one has begun.
//
// # Why its own code
//
// Measured on two cores, durable charges a second at 1 and 256 callers, each
// with balance, journal and id, one transaction for each flight: bbolt 2.7 and
// 41 thousand, badger 4.2 and 73, pebble 4.3 and 44, SQLite 4.6 and 44, a
// preallocated journal with the books in memory 6.2 and 495. Of journals alone,
// interleaved on one disk, in flights a second of 7.5 KB (64 charges) and of
// one charge: this one 18 to 20 thousand and 17 to 27, hashicorp/raft-wal 11 to
// 13 and 10 to 25, tidwall/wal 1.5 to 8 and 6 to 19. raft-wal comes near and
// brings twelve modules that Caddy does not have, and an index that the chain
// of entries makes needless. The snapshot is a flat file because it is read and
// written whole: bbolt would add pages and a free list and save nothing.
//
// # How crash safety is tested
//
// The conformance suite and the property test of package ledgertest run on it,
// with restarts among the operations. A file system in memory keeps what is not
// synced apart, and loses power at random calls: what survives is what was
// durable and a torn part of the rest. It also fails syncs, after which it shows
// what it does not have, writes less than it was given and is full, and fails
// reads, each under load and at every call of a start. After each crash
// everything that was acknowledged is asked for again and must be there in its
// exact receipt, and the books must be the fold of the whole journal in every
// field. The seed of each run is its subtest's name. Damage to each kind of file
// must be refused in words, a bit flipped anywhere must never change an answer,
// and the decoders are fuzzed.
//
// A real process is killed under load. As root, with the build tag root, it loses
// power too: it is halted while it charges on an ext4 image, the image is copied,
// which has what was synced and not what the system holds in memory, and on the
// copy every charge that it has printed must be found. A ledger that skips its
// syncs loses hundreds to thousands of charges in the same test. Real disks also
// run full, turn read-only and fail under a ledger at work, and go on after the
// cure.
//
// # Where the time goes
//
// A charge costs 2 to 2.5 microseconds of processor time with 256 callers, on a
// virtual Xeon of 2.7 GHz. Two fifths of it are the books' tables, nearly all of that
// waiting for memory; a tenth is the clock and the mutex, a tenth going to sleep
// until the flight has landed and waking up, a twentieth the hashes of the resource
// and of what was asked. Writing and syncing a flight is 60 to 85 microseconds,
// shared by all on board. When a flight leaves (flight.go) is therefore what decides
// the cost under a web server, where few charges come while one sync lasts. The books
// are folded a second time for the snapshots, at half a microsecond an entry.
//
// # Limits
//
// One writer and one mutex: 300 to 450 thousand charges a second on two cores,
// and a lone charge costs one sync. All live wallets, grants and remembered ids
// are in memory: about 115 bytes a wallet, 50 to 100 a grant, 30 to 60 an id; a new
// wallet's two ids are remembered for a week. Making a snapshot takes as much again
// for as long as it lasts. A page view is about 97 bytes of journal, a wallet about
// 70 of snapshot, a grant 33.
//
// A start reads the snapshot and the journal behind it, at most about half as much
// and a segment, at one to two million entries a second: with a million wallets and
// ten million entries over a month, and grants for a day, half a second of processor
// time after Close and one second after a kill; with ten million grants live, one and
// a half and three. Without a snapshot ten million entries take ten seconds. No operation waits
// for more than a part of a hash table to grow, one of 256: a millisecond with ten
// million grants. What runs beside the operations sleeps in between, but on two busy
// cores it takes its share of them.
//
// A last frame that the disk damages after its sync cannot be told from a torn one,
// nor can a journal whose newest file was deleted; damage in segments that the
// snapshot covers is found by Verify.
package local
