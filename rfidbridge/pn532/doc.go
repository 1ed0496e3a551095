// Package pn532 speaks with the contactless chip of that name (NXP) on a serial line: as
// much of it as finding a card of ISO/IEC 14443-3 type A and talking to it takes (UM0701-02,
// the chip's user manual).
//
// It promises that noise on the line, a frame that is cut and one of before are passed over,
// that an answer which came damaged is asked for again without doing anything twice, and
// that nothing is waited for without end. It does not know what cards say.
//
// It is our own because github.com/ZaparooProject/go-pn532 0.26.1 adds 131 kB to a program
// that has to fit small machines (ARMv6), and paces each command.
package pn532
