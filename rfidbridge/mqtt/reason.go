package mqtt

import "fmt"

// Reason is a broker's answer. From 0x80 on it is a refusal.
type Reason byte

// NobodyListens is the answer of a broker which has nobody to hand a message over to.
const NobodyListens Reason = 0x10

// reasons are those that an operator can do something about.
var reasons = map[Reason]string{
	0x01: "it speaks an older version than MQTT 5", // of brokers which do
	0x84: "it speaks no MQTT 5",
	0x85: "it does not take the client id",
	0x86: "user or password is wrong",
	0x87: "that is not allowed to this user",
	0x8A: "this client is banned",
	0x8E: "another client has taken this client id",
	0x90: "it does not take the topic",
	0x97: "its quota is exceeded",

	NobodyListens: "nobody listens to the topic",
}

func (r Reason) Error() string {
	if text, known := reasons[r]; known {
		return "the broker says that " + text
	}
	return fmt.Sprintf("the broker answers %#02x", byte(r))
}
