package local

// pass is a bundle's visits. It stays when it is empty, so that a visit which
// comes back finds its end.
type pass struct {
	rule   uint32
	visits uint32
	until  int64  // zero: never
	next   uint32 // the wallet's pass before: one more than its index; zero: none
}

type passKey struct{ wallet, rule uint32 }

// passes are the passes of all wallets, and the rules they are of.
type passes struct {
	rules
	list  arena[pass]
	byKey map[passKey]uint32
}

func newPasses() passes { return passes{rules: newRules(), byKey: make(map[passKey]uint32)} }

// find returns a wallet's pass for a rule, empty and ended ones too, or nil.
func (p *passes) find(w *purse, walletAt uint32, rule string) *pass {
	if w.pass == 0 {
		return nil
	}
	number, known := p.byName[rule]
	if !known {
		return nil
	}
	return p.of(walletAt, number)
}

func (p *passes) of(walletAt, rule uint32) *pass {
	i, found := p.byKey[passKey{walletAt, rule}]
	if !found {
		return nil
	}
	return p.list.at(i)
}

// left returns what is left in a pass and its end; a nil pass has nothing left.
func (p *pass) left(now int64) (visits uint32, until int64) {
	if p == nil || p.visits == 0 || over(p.until, now) {
		return 0, 0
	}
	return p.visits, p.until
}

// set writes a wallet's pass for a rule.
func (p *passes) set(w *purse, walletAt, rule, visits uint32, until int64) {
	there := p.of(walletAt, rule)
	if there == nil {
		i := p.list.add(pass{rule: rule, next: w.pass})
		p.byKey[passKey{walletAt, rule}] = i
		w.pass = i + 1
		there = p.list.at(i)
	}
	there.visits, there.until = visits, until
}
