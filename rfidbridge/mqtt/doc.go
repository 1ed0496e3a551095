// Package mqtt tells one thing to a broker, and hears what is answered: as much of MQTT 5 as
// that takes (OASIS standard, 7 March 2019).
//
// It promises that nothing is sent but what was asked for, and never later: a connection
// begins clean, nothing is kept for another one, a message that the broker cannot hand over
// in time expires there, and what has not left this machine when a connection is aborted
// never leaves it. It is not for more: no message is sent twice, and none is received but
// those of one connection.
//
// It is our own because the libraries of the field add 197 to 459 kB to a program that has to
// fit small machines (paho.golang 0.23.0, paho.mqtt.golang 1.5.1; ARMv6), keep messages to
// send them again, and need as many lines to be kept from it.
package mqtt
