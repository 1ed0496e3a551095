// Package scale measures what the embedded ledger costs when it is large:
// memory for each wallet, disk for each entry, the time of a start, durable
// charges a second, and how long charges wait while a snapshot is made or the
// books are verified.
//
// It uses what anybody can use of package local, and makes its ledger as a site
// would over a month: wallets that are filled, and page views whose grants last a
// day. Its clock is its own, so that the month takes a minute. What it measures
// depends on the machine, its disk, and on what else runs there.
package scale
