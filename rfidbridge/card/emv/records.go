package emv

import (
	"bytes"
	"fmt"
)

// shown is what a card has shown in a transaction. Its objects share the memory of the
// card's answers.
type shown struct {
	profile []byte   // AIP
	static  []byte   // what the card's certificate vouches for
	signed  []Object // read from it
	loose   []Object // what nobody has signed: whoever stands between can have changed it
	asked   []byte   // what the terminal has told by the card's PDOL
}

// find returns an object, the signed one where there is one.
func (s *shown) find(tag uint32) []byte {
	if value := Find(s.signed, tag); value != nil {
		return value
	}
	return Find(s.loose, tag)
}

// The commands that begin a transaction and read a record.
const (
	classOwn           = 0x80
	instructionProcess = 0xA8 // GET PROCESSING OPTIONS
	instructionRead    = 0xB2 // READ RECORD
	tagCommand         = 0x83

	// mostRecords is more than any card has for a contactless transaction.
	mostRecords = 16
)

// read tells the card of the transaction, and reads the records that it names.
func (c *conversation) read(pdol []byte, own told) (*shown, error) {
	s := new(shown)
	var err error
	if s.asked, err = own.answers(pdol); err != nil {
		return nil, fmt.Errorf("what the card asks for: %w", err)
	}
	if len(s.asked) > mostData-3 {
		return nil, errAnswer
	}
	data := append([]byte{tagCommand}, byte(len(s.asked)))
	if len(s.asked) >= 0x80 {
		data = []byte{tagCommand, 0x81, byte(len(s.asked))}
	}
	answer, err := c.ask(classOwn, instructionProcess, 0x00, 0x00, append(data, s.asked...))
	if err != nil {
		return nil, err
	}
	files, err := s.options(answer)
	if err != nil {
		return nil, err
	}
	where, err := locate(files)
	if err != nil {
		return nil, err
	}
	for _, at := range where {
		answer, err := c.ask(0x00, instructionRead, at.record, at.file<<3|0x04, nil)
		if err != nil {
			return nil, err
		}
		if err := s.add(at, answer); err != nil {
			return nil, fmt.Errorf("a record of the card: %w", err)
		}
	}
	return s, s.addProfile()
}

// options reads the answer to the transaction's data: what the application can do, which
// records there are, and what it has said already.
func (s *shown) options(answer []byte) (files []byte, err error) {
	if value, err := template(answer, tagFormat1); err == nil {
		if len(value) < 2 {
			return nil, errAnswer
		}
		s.profile = value[:2]
		return value[2:], nil
	}
	value, err := template(answer, tagFormat2)
	if err != nil {
		return nil, err
	}
	if s.loose, err = Parse(value); err != nil {
		return nil, err
	}
	if s.profile = Find(s.loose, tagProfile); len(s.profile) != 2 {
		return nil, errAnswer
	}
	return Find(s.loose, tagFiles), nil
}

// location is where a record is.
type location struct {
	file, record byte
	signed       bool
}

// mostFile is the highest short identifier of a file, and mostOwnFile that of those whose
// records are templates by EMV's rules.
const (
	mostFile    = 30
	mostOwnFile = 10
)

// locate reads the list of records (AFL): files of four bytes each, with the first record,
// the last, and how many of them from the first are signed.
func locate(files []byte) (all []location, err error) {
	if len(files)%4 != 0 {
		return nil, errAnswer
	}
	for ; len(files) > 0; files = files[4:] {
		file, first, last, signed := files[0]>>3, int(files[1]), int(files[2]), int(files[3])
		if file < 1 || file > mostFile || files[0]&0x07 != 0 || first < 1 || last < first || signed > last-first+1 {
			return nil, errAnswer
		}
		if len(all)+last-first+1 > mostRecords {
			return nil, fmt.Errorf("%w: it has more than %d records", errAnswer, mostRecords)
		}
		for record := first; record <= last; record++ {
			all = append(all, location{file, byte(record), record < first+signed})
		}
	}
	return all, nil
}

// add takes a record. What is signed of one is its template's content, and in files of
// other rules all of it (EMV Book 3, 10.3).
func (s *shown) add(at location, record []byte) error {
	content, err := template(record, tagRecord)
	if err != nil {
		return err
	}
	objects, err := Parse(content)
	if err != nil {
		return err
	}
	if !at.signed {
		s.loose = append(s.loose, objects...)
		return nil
	}
	s.signed = append(s.signed, objects...)
	if at.file > mostOwnFile {
		content = record
	}
	s.static = append(s.static, content...)
	return nil
}

// addProfile puts what the application can do behind the signed records where the card says
// that it is signed too: nothing else may be (EMV Book 3, 10.3).
func (s *shown) addProfile() error {
	switch tags := s.find(tagSignedTags); {
	case tags == nil:
	case bytes.Equal(tags, []byte{tagProfile}):
		s.static = append(s.static, s.profile...)
	default:
		return errAnswer
	}
	return nil
}
