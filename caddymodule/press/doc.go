// Package press makes answers that are the same each time but for a few values,
// as a 402 is: everybody who has not paid gets the same page, with the title,
// the address and an id of its own.
//
// The text is written once by its one source (html/template, encoding/json,
// fmt), with a mark in the place of each value. [Cut] cuts it at the marks. From
// then on an answer is the pieces with the values between them, each escaped
// for the place that it stands in: no template is executed, nothing is looked
// up, and where the values need no escaping nothing is allocated.
//
// # What it promises
//
// [Press.Append] gives, byte for byte, what the source would have written with
// those values, provided that the source writes a value in the same way
// whatever it is: a text that has other words where a value is empty is two
// presses. The escapers are held against html/template and encoding/json by
// tests. A [Press] never changes and is safe for concurrent use.
//
// # What it does not know
//
// What the text says, and whether a value is fit to be shown: cutting a title
// to a length and taking control characters out of it come before.
package press
