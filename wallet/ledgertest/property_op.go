package ledgertest

import (
	"pgregory.net/rapid"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func (d *draws) charge() wallet.Charge {
	c := wallet.Charge{
		ID: d.id(), Wallet: d.wallet(), Rule: d.rule(), Resource: d.resource(),
		Price: pick(d, "price", price, 1, 2*price), Window: d.span(), Ahead: rapid.Bool().Draw(d.rt, "ahead"),
	}
	c.Generation = d.generation(c.Wallet)
	if d.rarely("extreme price", 3) {
		c.Price = pick(d, "price", 0, -1, wallet.MaxAmount, wallet.Unit)
	}
	return c
}

func (d *draws) buy() wallet.Purchase {
	p := wallet.Purchase{
		ID: d.id(), Wallet: d.wallet(), Rule: d.rule(), Price: pick(d, "price", price, 2*price),
		Visits: pick(d, "visits", 1, 2, 3), Validity: d.span(),
	}
	p.Generation = d.generation(p.Wallet)
	if d.rarely("extreme visits", 3) {
		p.Visits = pick(d, "visits", wallet.MaxVisits, 0, wallet.MaxVisits+1, wallet.MaxVisits-1)
	}
	if d.rarely("endless", 2) {
		p.Validity = 0
	}
	return p
}

func (d *draws) settle() wallet.Settlement {
	s := wallet.Settlement{Wallet: d.wallet(), Resource: d.resource()}
	from := d.ahead
	if d.rarely("by its id", 1) {
		from = d.charged
	}
	if len(from) > 0 && !d.rarely("another charge", 3) {
		s = pick(d, "charge", from...)
	}
	if d.rarely("another id", 4) && len(d.ids) > 0 {
		s.Charge = pick(d, "charge id", d.ids...)
	}
	s.ID, s.Delivered = d.id(), d.rarely("delivered", 1)
	return s
}

func (d *draws) transfer() wallet.Transfer {
	t := wallet.Transfer{
		ID: d.id(), From: pick(d, "from", d.accounts...), To: wallet.WalletAccount(d.wallet()),
		Amount: d.amount(), Note: d.note(),
	}
	if d.rarely("to any account", 1) {
		t.To = pick(d, "to", d.accounts...)
	}
	t.Generation = d.generation(t.From.Wallet)
	return t
}

func (d *draws) hold() wallet.Hold {
	h := wallet.Hold{ID: d.id(), Wallet: d.wallet(), Amount: d.amount(), TTL: d.span()}
	if d.rarely("twin", 2) && d.twin.TTL > 0 {
		h.Wallet, h.TTL = d.twin.Wallet, d.twin.TTL // to end at once, if the clock stands
	}
	d.twin = h
	h.Generation = d.generation(h.Wallet)
	return h
}

func (d *draws) release() wallet.Release {
	if len(d.held) == 0 || d.rarely("another hold", 4) {
		return wallet.Release{ID: d.id(), Wallet: d.wallet(), Hold: d.id()}
	}
	r := pick(d, "hold", d.held...)
	r.ID = d.id()
	if d.rarely("of another wallet", 4) {
		r.Wallet = d.wallet()
	}
	return r
}

func (d *draws) capture() wallet.Capture {
	r := d.release()
	c := wallet.Capture{
		ID: r.ID, Wallet: r.Wallet, Hold: r.Hold, Amount: pick(d, "amount", 1, price, 2*price),
		Rule: d.rule(), Resource: d.resource(), Window: d.span(),
	}
	if d.rarely("any amount", 2) {
		c.Amount = d.amount()
	}
	if d.rarely("without a grant", 2) {
		c.Resource = ""
	}
	return c
}

func (d *draws) create() wallet.CreateWallet {
	c := wallet.CreateWallet{ID: d.id(), Wallet: pick(d, "wallet", d.wallets...)}
	c.Recovery = d.opener(c.Wallet)
	return c
}

func (d *draws) rekey() wallet.Rekey {
	r := wallet.Rekey{ID: d.id(), Wallet: d.wallet()}
	r.Recovery, r.Revoke = d.opener(r.Wallet), d.rarely("revoke", 1)
	return r
}

func (d *draws) freeze() wallet.Freeze {
	return wallet.Freeze{ID: d.id(), Wallet: d.wallet(), Frozen: d.rarely("frozen", 2), Note: d.note()}
}

func (d *draws) issue() wallet.IssueVouchers {
	i := wallet.IssueVouchers{ID: d.id(), Value: d.amount(), Note: d.note()}
	for range rapid.IntRange(1, 3).Draw(d.rt, "vouchers") {
		i.Digests = append(i.Digests, d.digest())
	}
	if d.rarely("none", 6) {
		i.Digests = nil
	}
	if !d.rarely("endless", 2) {
		i.Expires = d.clock.Now().Add(d.span())
	}
	return i
}

func (d *draws) redeem() wallet.Redeem {
	r := wallet.Redeem{ID: d.id(), Wallet: d.wallet(), Code: d.digest()}
	if len(d.codes) > 0 && !d.rarely("any code", 3) {
		r.Code = pick(d, "code", d.codes...)
	}
	return r
}

func (d *draws) void() wallet.VoidVoucher {
	return wallet.VoidVoucher{ID: d.id(), Serial: pick[uint64](d, "serial", 1, 2, 3, 0, 1<<40, 4, 5), Note: d.note()}
}

// put draws a put, mostly in place of a value that stands or stood.
func (d *draws) put() wallet.Put {
	p := wallet.Put{ID: d.id(), Register: pick(d, "register", "card:a", "card:b", "card", "kiosk:\xff"), Value: pick(d, "value", "1", "2", "", "\xff\x00")}
	if len(d.puts) > 0 && !d.rarely("a new one", 2) {
		before := pick(d, "before", d.puts...)
		p.Register, p.Before = before.Register, before.ID
	}
	return p
}
