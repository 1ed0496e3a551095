package issuing

import (
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/issue"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// names are what people call the kinds.
var names = map[card.Kind]string{
	card.KindNTAG424: "NTAG 424 DNA", card.KindDESFire: "MIFARE DESFire", card.KindUltralight: "MIFARE Ultralight AES",
}

var states = map[issue.State]string{
	issue.Blank:   "blank",
	issue.Begun:   "begun: lay it down to personalise it, or to reset it, once more",
	issue.Issued:  "personalised",
	issue.Foreign: "of another kind of issuer",
}

// describe is what a card says of itself, in lines.
func describe(number uid.UID, r issue.Report) []string {
	lines := []string{fmt.Sprintf("%v: %s, %s", number, names[r.Kind], states[r.State])}
	if len(r.Versions) > 0 {
		lines = append(lines, fmt.Sprintf("  versions of its keys: %s", strings.Trim(fmt.Sprint(r.Versions), "[]")))
	}
	switch {
	case r.Address != "" && r.SUN:
		lines = append(lines, "  shows "+r.Address+" with a message that it signs")
	case r.Address != "":
		lines = append(lines, "  shows "+r.Address)
	}
	switch {
	case r.Kind != card.KindNTAG424:
	case r.Signed:
		lines = append(lines, "  NXP has signed its number")
	default:
		lines = append(lines, "  NXP has not signed its number: it may be an imitation")
	}
	return lines
}
