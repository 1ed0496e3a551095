package emv

import "errors"

// Object is one data object of a card, such as 9F46.
type Object struct {
	Tag   uint32
	Value []byte // shares the memory of what was parsed
}

// Limits on what a card may say: no card has nearly as much.
const (
	mostObjects = 256
	mostDepth   = 8
)

var errTLV = errors.New("the card's data objects do not read")

// Parse reads data objects in the encoding of ISO/IEC 7816-4 (BER-TLV), with those inside
// of templates behind their template, in order. Tags have up to four bytes, and lengths up
// to three, as far as they are shorter than the data.
func Parse(data []byte) ([]Object, error) {
	return parse(nil, data, 0)
}

func parse(found []Object, data []byte, depth int) ([]Object, error) {
	for len(data) > 0 {
		if data[0] == 0x00 || data[0] == 0xFF { // padding between objects
			data = data[1:]
			continue
		}
		tag, constructed, rest, err := cutTag(data)
		if err != nil {
			return nil, err
		}
		value, rest, err := cutValue(rest)
		if err != nil {
			return nil, err
		}
		if len(found) == mostObjects {
			return nil, errTLV
		}
		found = append(found, Object{tag, value})
		if constructed {
			if depth == mostDepth {
				return nil, errTLV
			}
			if found, err = parse(found, value, depth+1); err != nil {
				return nil, err
			}
		}
		data = rest
	}
	return found, nil
}

// cutTag takes a tag off, and says whether it is of a template.
func cutTag(data []byte) (tag uint32, constructed bool, rest []byte, err error) {
	constructed = data[0]&0x20 != 0
	tag = uint32(data[0])
	if data[0]&0x1F != 0x1F {
		return tag, constructed, data[1:], nil
	}
	for n := 1; n < 4 && n < len(data); n++ {
		tag = tag<<8 | uint32(data[n])
		if data[n]&0x80 == 0 {
			return tag, constructed, data[n+1:], nil
		}
	}
	return 0, false, nil, errTLV
}

// cutValue takes a length and a value off.
func cutValue(data []byte) (value, rest []byte, err error) {
	if len(data) == 0 {
		return nil, nil, errTLV
	}
	length, data := int(data[0]), data[1:]
	if length >= 0x80 {
		n := length - 0x80
		if n == 0 || n > 3 || n > len(data) {
			return nil, nil, errTLV
		}
		length = 0
		for _, b := range data[:n] {
			length = length<<8 | int(b)
		}
		data = data[n:]
	}
	if length > len(data) {
		return nil, nil, errTLV
	}
	return data[:length], data[length:], nil
}

// Find returns the value of the first object with a tag, or nil.
func Find(objects []Object, tag uint32) []byte {
	for _, o := range objects {
		if o.Tag == tag {
			return o.Value
		}
	}
	return nil
}
