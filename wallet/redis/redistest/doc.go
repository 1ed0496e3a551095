// Package redistest runs real Redis servers for tests, and breaks them.
//
// # What it promises
//
// [Start] runs one server, [StartCluster] a Cluster whose slots move, and
// [StartSentinel] a master with replicas and the Sentinels that replace it. They
// listen on free ports of the loopback interface and keep their data in
// directories of the test's. They keep what they acknowledge, as a ledger needs
// it: an append-only file, synced before each answer, and nothing is evicted.
// Whatever returns here returns when it is true, and not some time later: a
// server that was started answers, a replica receives what its master writes, a
// slot that was moved is where all nodes say it is.
//
// A server can be killed, started again on what it left on the disk, stopped and
// resumed. [Proxy] breaks what is between a server and its clients, and [Dropper]
// loses answers to commands that were executed.
//
// A test ends what it started, and nothing else. On Linux a server also ends
// when the process of its test does, however that came about. Where Redis is
// not installed a test fails and says what to install: a test that is skipped
// proves nothing.
//
// # What it does not know
//
// What the servers are used for. It imports testing, so only tests import it.
package redistest
