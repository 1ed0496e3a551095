package virtual

import (
	"crypto/sha1" //nolint:gosec // EMV knows no other hash
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// BankProof is how a bank card proves itself.
type BankProof int

// The ways, by EMV.
const (
	FastProof     BankProof = iota // fDDA, version 01
	OldFastProof                   // fDDA, version 00: of the challenge alone
	DynamicProof                   // DDA, by INTERNAL AUTHENTICATE
	CombinedProof                  // CDA, by GENERATE AC
	NoProof                        // none: the number is all there is
)

// BankCardOptions are what a bank card has, and how it misbehaves. The zero value is a good
// card without an account reference.
type BankCardOptions struct {
	Number       string // default: 5413330089020011
	Account      string // the payment account reference (PAR), 29 characters
	LooseAccount bool   // it is not signed
	Proof        BankProof

	CertifiedNumber    string // that of the certificate, where it is another's
	IssuerEnd, CardEnd string // of the certificates, MMYY; default: 1249
	Expires            string // of the card, YYMMDD; default: 491231
	WrongChallenge     bool   // it signs another one than it is asked to
	WrongSignature     bool   // it signs with a bit changed
}

// BankCard is a contactless bank card, as far as a terminal goes that charges nothing. It is
// safe for concurrent use.
type BankCard struct {
	scheme  *BankScheme
	options BankCardOptions
	uid     [4]byte
	records map[[2]byte][]byte // by file and number

	mu       sync.Mutex
	selected bool
	told     []byte // by the last GET PROCESSING OPTIONS
	counter  byte   // of transactions
}

// The names of the list of applications and of the one that there is.
const (
	bankEnvironment = "2PAY.SYS.DDF01"
	bankApplication = "\xF0\x00\x00\x00\x01\x10\x10"
)

// What the card asks for: qualifiers, amount, currency, challenge; in a list of data (DOL).
var (
	bankPDOL = []byte{0x9F, 0x66, 0x04, 0x9F, 0x02, 0x06, 0x5F, 0x2A, 0x02, 0x9F, 0x37, 0x04}
	bankCDOL = []byte{0x9F, 0x02, 0x06, 0x9A, 0x03, 0x9F, 0x37, 0x04}
	bankDDOL = []byte{0x9F, 0x37, 0x04}
)

// NewBankCard makes a card of a scheme.
func NewBankCard(s *BankScheme, o BankCardOptions) *BankCard {
	for _, field := range []struct {
		value   *string
		usually string
	}{
		{&o.Number, "5413330089020011"}, {&o.IssuerEnd, "1249"}, {&o.CardEnd, "1249"}, {&o.Expires, "491231"},
	} {
		if *field.value == "" {
			*field.value = field.usually
		}
	}
	if o.CertifiedNumber == "" {
		o.CertifiedNumber = o.Number
	}
	c := &BankCard{scheme: s, options: o}
	draw(c.uid[:])
	c.uid[0] = 0x04 // one for life, and not drawn for each tap
	c.records = c.personalised()
	return c
}

// The card's files: its certificates, and what the certificate vouches for.
const (
	bankCertificates = 2
	bankSigned       = 3
)

var bankFiles = []byte{bankCertificates << 3, 1, 4, 0, bankSigned << 3, 1, 1, 1}

// personalised are the card's records.
func (c *BankCard) personalised() map[[2]byte][]byte {
	o := c.options
	signed := slices.Concat(
		tlv("5A", packed(o.Number)), tlv("5F24", packed(o.Expires)), tlv("9F4A", []byte{0x82}), tlv("8C", bankCDOL), tlv("9F49", bankDDOL),
	)
	var loose []byte
	if o.Account != "" {
		account := tlv("9F24", []byte(o.Account))
		if o.LooseAccount {
			loose = account
		} else {
			signed = append(signed, account...)
		}
	}
	head := slices.Concat([]byte{0x02}, packed(o.CertifiedNumber[:6]+"FF"), packed(o.IssuerEnd), []byte{0, 0, 1})
	issuer, issuerRest := BankCertify(c.scheme.Authority, c.scheme.Issuer, head)
	number := o.CertifiedNumber + strings.Repeat("F", 20-len(o.CertifiedNumber))
	head = slices.Concat([]byte{0x04}, packed(number), packed(o.CardEnd), []byte{0, 0, 2})
	card, cardRest := BankCertify(c.scheme.Issuer, c.scheme.Card, head, signed, c.profile())
	records := map[[2]byte][]byte{
		{bankCertificates, 1}: tlv("8F", []byte{c.scheme.Index}),
		{bankCertificates, 2}: tlv("90", issuer),
		{bankCertificates, 3}: slices.Concat(tlv("92", issuerRest), tlv("9F32", BankExponent), tlv("9F47", BankExponent), tlv("9F48", cardRest), loose),
		{bankCertificates, 4}: tlv("9F46", card),
		{bankSigned, 1}:       signed,
	}
	if o.Proof == NoProof {
		records[[2]byte{bankCertificates, 4}] = tlv("57", packed(o.Number+"D4912201"))
	}
	for at, content := range records {
		records[at] = tlv("70", content)
	}
	return records
}

// profile is what the application can do.
func (c *BankCard) profile() []byte {
	switch c.options.Proof {
	case FastProof, OldFastProof, DynamicProof:
		return []byte{0x20, 0x00}
	case CombinedProof:
		return []byte{0x01, 0x00}
	default:
		return []byte{0x00, 0x00}
	}
}

// Transmit answers a command as the card does.
func (c *BankCard) Transmit(apdu []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := dataOf(apdu)
	switch {
	case !ok:
		return wrongLength
	case string(apdu[:4]) == "\xff\xca\x00\x00": // the reader's own: the number
		return slices.Concat(c.uid[:], done)
	case string(apdu[:3]) == "\x00\xa4\x04":
		return c.selects(string(data))
	case !c.selected:
		return unknown
	case apdu[0] == 0x80 && apdu[1] == 0xA8:
		return c.process(data)
	case apdu[0] == 0x00 && apdu[1] == 0xB2 && apdu[3]&0x07 == 0x04:
		if record, there := c.records[[2]byte{apdu[3] >> 3, apdu[2]}]; there {
			return slices.Concat(record, done)
		}
		return recordNotFound
	case apdu[0] == 0x00 && apdu[1] == 0x88 && c.options.Proof == DynamicProof && len(data) == 4:
		return slices.Concat(tlv("77", tlv("9F4B", c.sign([]byte{0x03, 0x02, 0x00, c.counter}, data))), done)
	case apdu[0] == 0x80 && apdu[1] == 0xAE && c.options.Proof == CombinedProof && len(data) == 13:
		return slices.Concat(c.generate(data), done)
	}
	return unknown
}

var recordNotFound = []byte{0x6A, 0x83}

// selects answers SELECT by a name.
func (c *BankCard) selects(name string) []byte {
	c.selected, c.told = false, nil
	entry := slices.Concat(tlv("4F", []byte(bankApplication)), tlv("87", []byte{0x01}))
	switch name {
	case bankEnvironment:
		return slices.Concat(tlv("6F", slices.Concat(tlv("84", []byte(name)), tlv("A5", tlv("BF0C", tlv("61", entry))))), done)
	case bankApplication:
		c.selected = true
		return slices.Concat(tlv("6F", slices.Concat(tlv("84", []byte(name)), tlv("A5", tlv("9F38", bankPDOL)))), done)
	}
	return notFound
}

// process answers GET PROCESSING OPTIONS: with a signature at once where the card is fast.
func (c *BankCard) process(data []byte) []byte {
	const size = 16 // of what the PDOL asks for
	if len(data) != 2+size || data[0] != 0x83 || data[1] != size {
		return wrongLength
	}
	c.told = slices.Clone(data[2:])
	c.counter++
	answer := slices.Concat(tlv("82", c.profile()), tlv("94", bankFiles), tlv("9F36", []byte{0x00, c.counter}))
	dynamic, challenge := []byte{0x03, 0x02, 0x00, c.counter}, c.told[size-4:]
	switch c.options.Proof {
	case FastProof:
		part := make([]byte, 7) // version, the card's own random number, qualifiers
		draw(part[1:5])
		part[0] = 0x01
		own := slices.Concat(c.told[4:size-4], part) // amount and currency before
		answer = slices.Concat(answer, tlv("9F69", part), tlv("9F4B", c.sign(dynamic, challenge, own)))
	case OldFastProof:
		answer = slices.Concat(answer, tlv("9F4B", c.sign(dynamic, challenge)))
	}
	return slices.Concat(tlv("77", answer), done)
}

// generate answers GENERATE AC: a cryptogram that means nothing, and a signature of all that
// was said.
func (c *BankCard) generate(data []byte) []byte {
	const online = 0x80
	answer := slices.Concat(tlv("9F27", []byte{online}), tlv("9F36", []byte{0x00, c.counter}))
	sum := sha1.Sum(slices.Concat(c.told, data, answer)) //nolint:gosec // EMV's
	dynamic := slices.Concat([]byte{2, 0x00, c.counter, online}, make([]byte, 8), sum[:])
	dynamic = append([]byte{byte(len(dynamic))}, dynamic...)
	return tlv("77", append(answer, tlv("9F4B", c.sign(dynamic, data[len(data)-4:]))...))
}

// sign signs the card's dynamic data, with their length before them, and what the terminal
// has said, the challenge first.
func (c *BankCard) sign(dynamic, challenge []byte, more ...[]byte) []byte {
	challenge = slices.Clone(challenge)
	if c.options.WrongChallenge {
		challenge[0] ^= 1
	}
	signature := BankSign(c.scheme.Card, append([]byte{0x05, 0x01}, dynamic...), append([][]byte{challenge}, more...)...)
	if c.options.WrongSignature {
		signature[len(signature)-1] ^= 1
	}
	return signature
}

// tlv is a data object; its tag is in hexadecimal.
func tlv(tag string, value []byte) []byte {
	length := []byte{byte(len(value))}
	if len(value) >= 0x80 {
		length = []byte{0x81, byte(len(value))}
	}
	return slices.Concat(packed(tag), length, value)
}

// packed are hexadecimal digits, filled up with F to whole bytes.
func packed(digits string) []byte {
	if len(digits)%2 != 0 {
		digits += "F"
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err) // the caller's are digits
	}
	return b
}
