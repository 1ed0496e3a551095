// Command rfidbridge makes a machine a kiosk: cards are tapped at it, the paywall takes the
// money, and something opens.
//
//	rfidbridge enrol    -site https://news.example -code ABCD-EFGH-JKMN-PQRS
//	rfidbridge run      -config kiosk.json
//	rfidbridge card     personalise|inspect|reset
//	rfidbridge simulate -site http://localhost:8402 -code ABCD-EFGH-JKMN-PQRS
//
// It talks HTTP to a paywall (package wire), and knows neither Caddy nor the ledger. Which
// package does what:
//
//	command           what a person types, here and as "caddy paywall rfid"
//	bridge            the kiosk at work, and its configuration
//	reader            watches for cards, whatever reader they are laid on
//	pcsc, pn532       what smart card readers say, through pcscd and on a serial line
//	frames            what others do: 125 kHz modules, lines of text, keyboards
//	serial            serial lines, of readers and of relays
//	uid, card         what a card has shown, and what that proves
//	issuing           blank cards become the site's, driven by the paywall
//	guard             taps that look alike
//	offline           what a kiosk grants while the paywall does not answer
//	tap, journal      a tap from the card to the settlement, and what is owed after a crash
//	actuator, mqtt    what opens
//	screen, words     what who taps is told; fill: how a page is filled in
//	client, wire      how it talks to the paywall
//	metrics           what it counts
//	simulate          a page with a virtual card and a kiosk, to try it without hardware
package main
