// Package wallet is who has money and how it moves: amounts, accounts, the
// ledger's contract, the tokens that open a wallet, and the vouchers that fill
// one.
//
// # What it promises
//
// Money is an [Amount]: a whole number of millionths of the currency unit.
// Every movement is a transfer between two accounts, so the books always
// balance. A [Ledger] keeps them; whichever engine stands behind it holds
// these invariants, and tests cite them by number.
//
//  1. Conservation. The sum of all balances, holds and transfers in flight is
//     zero at every instant.
//  2. No overdraft. A wallet's available amount is never below zero.
//  3. Exactly once. An operation id takes effect at most once; the same id
//     with the same content returns the first outcome; the same id with other
//     content is a [Conflict] and changes nothing. An id is remembered with
//     the wallet that the operation is about; an engine may also see it in
//     operations about other wallets, then a Conflict. Ids carry their time,
//     and one older than the retention is [Stale]: forgetting an id can never
//     turn a late retry into a second debit.
//  4. Paid means readable. Debit and grant are one atomic write: nobody pays
//     without being able to read again for the window, and nobody reads
//     without a grant.
//  5. Acknowledged means kept. What the ledger has acknowledged survives
//     kill -9 of any process at any instant, at the durability it names.
//  6. Ambiguity is not an answer. After an error that leaves the outcome
//     unknown the caller retries the same id and learns what happened.
//  7. Every change has an entry in an append-only journal from which every
//     balance can be recomputed; Verify does so.
//  8. Revocation is immediate. A revoked or frozen credential spends nothing
//     after the revocation is acknowledged.
//
// # What it does not know
//
// Prices, offers, pages, HTTP and Caddy. Package meter says what a request
// owes; package caddymodule asks for it.
package wallet
