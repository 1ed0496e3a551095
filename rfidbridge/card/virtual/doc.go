// Package virtual is cards in software, for tests and for trying things out without
// hardware: they answer the commands that a reader sends as the real ones do, and can be
// told to misbehave.
//
// It promises what the data sheets say of what the bridge uses, and no more. A virtual card
// keeps nothing: it is gone with its process.
package virtual
