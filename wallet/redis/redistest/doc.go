// Package redistest runs real Redis servers for tests.
//
// # What it promises
//
// [Start] runs one server, on a free port of the loopback interface and with
// its data in a directory of the test's. Such a server keeps what it
// acknowledged, as a ledger needs it: an append-only file, synced before each
// answer, and nothing is evicted. It can be killed, started again on what it
// left on the disk, and stopped and resumed.
//
// A test stops what it started, and nothing else. On Linux a server also ends
// when the process of its test does, however that came about. Where Redis is
// not installed a test fails and says what to install: a test that is skipped
// proves nothing.
//
// # What it does not know
//
// What the servers are used for. It imports testing, so only tests import it.
package redistest
