// Package page is every HTML page a reader sees: the 402 challenge, the wallet
// and the error pages, in English, French and Italian.
//
// # What it promises
//
// A page is one self-contained document without JavaScript, images or external
// resources. It works in a text browser, with a screen reader, at 320 pixels
// and on paper, and every button is a plain form. Its one stylesheet is inlined
// and allowed by hash, see [ContentSecurityPolicy]. Whatever comes from outside
// (titles, teasers, paths, notes) is cut to a limit, freed of control
// characters and escaped for its place; a path that leaves the site becomes "/".
// A page is written whole or not at all. The one that a crowd asks for, the
// challenge of readers without a wallet, is the same bytes from [Pressed], which
// executes no template.
//
// Two pages that are no reader's have a script, which does nothing that a button does not:
// [Session], which also frames pages of the site, and [Till], which shows codes. Each has a
// policy of its own that names its script by its hash.
//
// The forms are application/x-www-form-urlencoded posts to these paths, and for
// cards, phones, tills and kiosks' browsers to those of the constants. Each
// path carries ?lang=, so that the answer speaks the reader's language:
//
//	/.paywall/pay               quote, offer (the name of an Offer)
//	/.paywall/vouchers/redeem   code, return
//	/.paywall/recover           code, return, revoke ("1" or absent)
//	/.paywall/wallet/recovery   return
//
// Everything exported is safe for concurrent use.
//
// # What it does not know
//
// Caddy, requests beyond their language, how a price is made and where a
// balance is kept. The caller decides what a page says and sets the headers.
package page
