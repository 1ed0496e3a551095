// Package serial opens serial lines, of USB adapters as of the machine's own.
//
// It promises that the bytes of a line come and go as they are, that a read or a write which
// is under way ends when the line is closed, and that a line which is unplugged fails rather
// than wait. It does not know what is spoken on a line.
package serial
