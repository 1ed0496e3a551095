package ledgertest

import (
	"pgregory.net/rapid"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func (d *draws) charge() wallet.Charge {
	return wallet.Charge{
		ID: d.id(), Wallet: d.wallet(), Generation: d.generation(), Rule: d.rule(), Resource: d.resource(),
		Price:  pick(d, "price", price, price, price, 1, wallet.Unit, 0, wallet.MaxAmount, -1),
		Window: d.span(), Ahead: rapid.Bool().Draw(d.rt, "ahead"),
	}
}

func (d *draws) buy() wallet.Purchase {
	p := wallet.Purchase{
		ID: d.id(), Wallet: d.wallet(), Generation: d.generation(), Rule: d.rule(),
		Price: pick(d, "price", price, 2*price, 0), Validity: d.span(),
		Visits: pick(d, "visits", 1, 2, 3, wallet.MaxVisits-1, wallet.MaxVisits, 0),
	}
	if d.rarely("endless", 4) {
		p.Validity = 0
	}
	return p
}

func (d *draws) settle() wallet.Settlement {
	return wallet.Settlement{
		ID: d.id(), Wallet: d.wallet(), Resource: d.resource(), Delivered: rapid.Bool().Draw(d.rt, "delivered"),
	}
}

func (d *draws) transfer() wallet.Transfer {
	return wallet.Transfer{
		ID: d.id(), From: pick(d, "from", d.accounts...), To: pick(d, "to", d.accounts...),
		Generation: d.generation(), Amount: d.amount(), Note: d.note(),
	}
}

func (d *draws) hold() wallet.Hold {
	h := wallet.Hold{
		ID: d.id(), Wallet: d.wallet(), Generation: d.generation(), Amount: d.amount(), TTL: d.span(),
	}
	d.holds = append(d.holds, h.ID)
	return h
}

// heldID draws the id of a hold that was asked for, if there is one.
func (d *draws) heldID() wallet.OpID {
	if len(d.holds) == 0 {
		return d.newID(0)
	}
	return pick(d, "hold", d.holds...)
}

func (d *draws) capture() wallet.Capture {
	c := wallet.Capture{
		ID: d.id(), Wallet: d.wallet(), Hold: d.heldID(), Amount: pick(d, "amount", 1, price, 2*price, wallet.Unit, 0),
		Rule: d.rule(), Resource: d.resource(), Window: d.span(),
	}
	if d.rarely("without a grant", 4) {
		c.Resource = ""
	}
	return c
}

func (d *draws) release() wallet.Release {
	return wallet.Release{ID: d.id(), Wallet: d.wallet(), Hold: d.heldID()}
}

func (d *draws) create() wallet.CreateWallet {
	return wallet.CreateWallet{ID: d.id(), Wallet: d.wallet(), Recovery: d.digest()}
}

func (d *draws) rekey() wallet.Rekey {
	return wallet.Rekey{ID: d.id(), Wallet: d.wallet(), Recovery: d.digest(), Revoke: d.rarely("revoke", 3)}
}

func (d *draws) freeze() wallet.Freeze {
	return wallet.Freeze{ID: d.id(), Wallet: d.wallet(), Frozen: d.rarely("frozen", 3), Note: d.note()}
}

func (d *draws) issue() wallet.IssueVouchers {
	i := wallet.IssueVouchers{ID: d.id(), Value: d.amount(), Note: d.note()}
	for range rapid.IntRange(0, 3).Draw(d.rt, "vouchers") {
		i.Digests = append(i.Digests, d.digest())
	}
	if !d.rarely("endless", 3) {
		i.Expires = d.clock.Now().Add(d.span())
		d.edges = append(d.edges, cut(i.Expires))
	}
	return i
}

func (d *draws) redeem() wallet.Redeem {
	return wallet.Redeem{ID: d.id(), Wallet: d.wallet(), Code: d.digest()}
}

func (d *draws) void() wallet.VoidVoucher {
	return wallet.VoidVoucher{ID: d.id(), Serial: pick[uint64](d, "serial", 1, 2, 3, 4, 5, 0, 1<<40), Note: d.note()}
}
