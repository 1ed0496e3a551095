package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The asked is an operation as the journal keeps it, word for word: the kind that was
// asked for, the id, the wallet that it is about, and the fields in the order of this
// file. Two operations are the same where their asked are.
type asked []byte

const (
	askedHead = 1 + 16 + 16
	askedRoom = 160 // bytes of most
)

func newAsked(kind wallet.Kind, id wallet.OpID, about wallet.WalletID) asked {
	a := make(asked, 0, askedRoom)
	a = append(a, byte(kind))
	a = append(a, id[:]...)
	return append(a, about[:]...)
}

func (a asked) number(n int64) asked { return binary.AppendUvarint(a, uint64(n)) }

func (a asked) text(s string) asked {
	return append(binary.AppendUvarint(a, uint64(len(s))), s...)
}

func (a asked) bytes(b []byte) asked { return append(a, b...) }

func (a asked) bool(b bool) asked {
	if b {
		return append(a, 1)
	}
	return append(a, 0)
}

func (a asked) account(of wallet.Account) asked {
	if of.IsWallet() {
		return append(append(a, 0), of.Wallet[:]...)
	}
	return append(append(a, byte(len(of.Name))), of.Name...)
}

func askedOfCharge(c *wallet.Charge) asked {
	return newAsked(wallet.KindCharge, c.ID, c.Wallet).number(int64(c.Generation)).number(int64(c.Price)).
		number(c.Window.Milliseconds()).bool(c.Ahead).text(c.Rule).text(c.Resource)
}

func askedOfPurchase(p *wallet.Purchase) asked {
	return newAsked(wallet.KindBuy, p.ID, p.Wallet).number(int64(p.Generation)).number(int64(p.Price)).
		number(int64(p.Visits)).number(p.Validity.Milliseconds()).text(p.Rule)
}

func askedOfSettlement(s *wallet.Settlement) asked {
	return newAsked(wallet.KindRefund, s.ID, s.Wallet).bytes(s.Charge[:]).bool(s.Delivered).text(s.Resource)
}

func askedOfTransfer(t *wallet.Transfer, about wallet.WalletID) asked {
	return newAsked(wallet.KindTransfer, t.ID, about).account(t.From).account(t.To).
		number(int64(t.Generation)).number(int64(t.Amount)).text(t.Note)
}

func askedOfHold(h *wallet.Hold) asked {
	return newAsked(wallet.KindHold, h.ID, h.Wallet).number(int64(h.Generation)).number(int64(h.Amount)).
		number(h.TTL.Milliseconds())
}

func askedOfCapture(c *wallet.Capture) asked {
	return newAsked(wallet.KindCapture, c.ID, c.Wallet).bytes(c.Hold[:]).number(int64(c.Amount)).
		number(c.Window.Milliseconds()).text(c.Rule).text(c.Resource)
}

func askedOfRelease(r *wallet.Release) asked {
	return newAsked(wallet.KindRelease, r.ID, r.Wallet).bytes(r.Hold[:])
}

func askedOfCreate(c *wallet.CreateWallet) asked {
	return newAsked(wallet.KindCreate, c.ID, c.Wallet).bytes(c.Recovery[:])
}

func askedOfRekey(k *wallet.Rekey) asked {
	return newAsked(wallet.KindRekey, k.ID, k.Wallet).bytes(k.Recovery[:]).bool(k.Revoke)
}

func askedOfFreeze(f *wallet.Freeze) asked {
	return newAsked(wallet.KindFreeze, f.ID, f.Wallet).bool(f.Frozen).text(f.Note)
}

func askedOfIssue(i *wallet.IssueVouchers) asked {
	a := newAsked(wallet.KindIssue, i.ID, wallet.WalletID{}).number(int64(i.Value)).number(millis(i.Expires)).
		text(i.Note).number(int64(len(i.Digests)))
	for n := range i.Digests {
		a = a.bytes(i.Digests[n][:])
	}
	return a
}

func askedOfRedeem(r *wallet.Redeem) asked {
	return newAsked(wallet.KindRedeem, r.ID, r.Wallet).bytes(r.Code[:])
}

func askedOfVoid(v *wallet.VoidVoucher) asked {
	return newAsked(wallet.KindVoid, v.ID, wallet.WalletID{}).number(int64(v.Serial)).text(v.Note)
}

func askedOfPut(p *wallet.Put) asked {
	return newAsked(wallet.KindPut, p.ID, wallet.WalletID{}).bytes(p.Before[:]).text(p.Register).text(p.Value)
}

var errAsked = errors.New("not an operation")

// kind, id and about are what all asked begin with; a record's asked has been found
// long enough.
func (a asked) kind() wallet.Kind      { return wallet.Kind(a[0]) }
func (a asked) id() wallet.OpID        { return wallet.OpID(a[1:17]) }
func (a asked) about() wallet.WalletID { return wallet.WalletID(a[17:33]) }

// operation is the operation of package wallet that was asked for.
func (a asked) operation() (op any, err error) {
	if len(a) < askedHead {
		return nil, errAsked
	}
	d := reader{rest: a[askedHead:]}
	switch id, about := a.id(), a.about(); a.kind() {
	case wallet.KindCharge:
		op = wallet.Charge{
			ID: id, Wallet: about, Generation: uint32(d.number()), Price: d.amount(), Window: d.duration(),
			Ahead: d.bool(), Rule: d.text(), Resource: d.text(),
		}
	case wallet.KindBuy:
		op = wallet.Purchase{
			ID: id, Wallet: about, Generation: uint32(d.number()), Price: d.amount(), Visits: int(d.number()),
			Validity: d.duration(), Rule: d.text(),
		}
	case wallet.KindRefund:
		op = wallet.Settlement{ID: id, Wallet: about, Charge: wallet.OpID(d.sixteen()), Delivered: d.bool(), Resource: d.text()}
	case wallet.KindTransfer:
		op = wallet.Transfer{
			ID: id, From: d.account(), To: d.account(), Generation: uint32(d.number()), Amount: d.amount(), Note: d.text(),
		}
	case wallet.KindHold:
		op = wallet.Hold{ID: id, Wallet: about, Generation: uint32(d.number()), Amount: d.amount(), TTL: d.duration()}
	case wallet.KindCapture:
		op = wallet.Capture{
			ID: id, Wallet: about, Hold: wallet.OpID(d.sixteen()), Amount: d.amount(), Window: d.duration(),
			Rule: d.text(), Resource: d.text(),
		}
	case wallet.KindRelease:
		op = wallet.Release{ID: id, Wallet: about, Hold: wallet.OpID(d.sixteen())}
	case wallet.KindCreate:
		op = wallet.CreateWallet{ID: id, Wallet: about, Recovery: d.digest()}
	case wallet.KindRekey:
		op = wallet.Rekey{ID: id, Wallet: about, Recovery: d.digest(), Revoke: d.bool()}
	case wallet.KindFreeze:
		op = wallet.Freeze{ID: id, Wallet: about, Frozen: d.bool(), Note: d.text()}
	case wallet.KindIssue:
		i := wallet.IssueVouchers{ID: id, Value: d.amount(), Expires: timeOf(int64(d.number())), Note: d.text()}
		for range min(d.number(), wallet.MaxVouchers) {
			i.Digests = append(i.Digests, d.digest())
		}
		op = i
	case wallet.KindRedeem:
		op = wallet.Redeem{ID: id, Wallet: about, Code: d.digest()}
	case wallet.KindVoid:
		op = wallet.VoidVoucher{ID: id, Serial: d.number(), Note: d.text()}
	case wallet.KindPut:
		op = wallet.Put{ID: id, Before: wallet.OpID(d.sixteen()), Register: d.text(), Value: d.text()}
	}
	if op == nil || d.failed || len(d.rest) > 0 {
		return nil, fmt.Errorf("%w: kind %d", errAsked, a[0])
	}
	return op, nil
}

// reader takes fields off the front of bytes. After the first that is not there it has
// failed, and everything it reads is zero.
type reader struct {
	rest   []byte
	failed bool
}

func (d *reader) take(n uint64) []byte {
	if d.failed || uint64(len(d.rest)) < n {
		d.failed, d.rest = true, nil
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

// uint reads a number of a fixed size, little endian.
func (d *reader) uint(n int) uint64 {
	if b := d.take(uint64(n)); b != nil {
		return uintOf(b, n)
	}
	return 0
}

func (d *reader) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.take(1 << 62)
		return 0
	}
	d.take(uint64(size))
	return n
}

func (d *reader) amount() wallet.Amount   { return wallet.Amount(d.number()) }
func (d *reader) duration() time.Duration { return time.Duration(d.number()) * time.Millisecond }
func (d *reader) bool() bool              { return d.uint(1) == 1 }
func (d *reader) text() string            { return string(d.take(d.number())) }
func (d *reader) short() string           { return string(d.take(d.uint(1))) }

func (d *reader) sixteen() (b [16]byte) {
	copy(b[:], d.take(16))
	return b
}

func (d *reader) digest() (b wallet.Digest) {
	copy(b[:], d.take(32))
	return b
}

func (d *reader) account() wallet.Account {
	n := d.uint(1)
	if n == 0 {
		return wallet.WalletAccount(d.sixteen())
	}
	return wallet.Account{Name: string(d.take(n))}
}
