package mqtt

import "fmt"

// ReasonError is a broker's answer: zero is success, from 0x80 on it is a refusal.
type ReasonError byte

// reasons are those that an operator can do something about.
var reasons = map[ReasonError]string{
	0x01: "it speaks an older version than MQTT 5", // of brokers which do
	0x10: "nobody listens to the topic",            // which is no refusal
	0x84: "it speaks no MQTT 5",
	0x85: "it does not take the client id",
	0x86: "user or password is wrong",
	0x87: "that is not allowed to this user",
	0x8A: "this client is banned",
	0x8E: "another client has taken this client id",
	0x90: "it does not take the topic",
	0x97: "its quota is exceeded",
}

func (r ReasonError) Error() string {
	if text, known := reasons[r]; known {
		return "the broker says that " + text
	}
	return fmt.Sprintf("the broker answers %#02x", byte(r))
}
