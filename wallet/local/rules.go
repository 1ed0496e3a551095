package local

import "fmt"

// rules are the names of the rules in the order in which the journal first says
// them. From then on it says their numbers. Rules come from the operator's config,
// so there are few.
type rules struct {
	names  []string
	byName map[string]uint32
}

func newRules() rules { return rules{byName: make(map[string]uint32)} }

// number returns a rule's number and whether it had one; else it has one now.
func (n *rules) number(name string) (number uint32, known bool) {
	number, known = n.byName[name]
	if !known {
		number = uint32(len(n.names))
		n.names = append(n.names, name)
		n.byName[name] = number
	}
	return number, known
}

// complete fills in the name or the number of a record's rule, whichever the
// record came without.
func (n *rules) complete(r *record) error {
	if r.ruleKnown || r.rule == "" {
		return r.nameRule(n.names)
	}
	r.ruleAt, _ = n.number(r.rule)
	return nil
}

// nameRule fills in the name of a record's rule where the record came with its
// number.
func (r *record) nameRule(names []string) error {
	if !r.ruleKnown {
		return nil
	}
	if int64(r.ruleAt) >= int64(len(names)) {
		return fmt.Errorf("its rule has no name")
	}
	r.rule = names[r.ruleAt]
	return nil
}
