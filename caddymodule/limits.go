package caddymodule

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// The limits on what strangers may send, in one place.
const (
	maxBody = 64 << 10 // bytes of a request to /.paywall/*

	// Wrong codes from one address or one wallet. A code has 70 random bits,
	// so this is to keep guessing out of the log and the ledger's way.
	maxWrongCodes   = 10
	wrongCodePeriod = 15 * time.Minute

	// Wallets that one address may create. A wallet is free, and kept.
	maxNewWallets   = 2000
	newWalletPeriod = time.Hour

	// Wallets that all addresses together may create in that period without a
	// voucher: ten a second. At some 120 bytes each a flood that lasts a whole
	// day takes 105 MB of memory. From half of it on they are scarce, and an
	// address gets only a few: else twenty addresses could have them all, and
	// nobody else any.
	maxAllWallets    = 36_000
	maxCalmWallets   = maxAllWallets / 2
	maxScarceWallets = 20

	// Requests without payment from one address. The dearest, a forged token,
	// costs some 60 µs for its signature, so that one address takes a
	// thousandth of a core. Twenty a second are more than the readers of a
	// large office ask for, or a search engine sends from one address; those
	// who pay do not count.
	defaultUnpaid       = 1200
	defaultUnpaidPeriod = caddy.Duration(time.Minute)
	mostUnpaid          = 1_000_000_000
	mostUnpaidPeriod    = caddy.Duration(24 * time.Hour)

	// Sales of one wallet that may be given back: one a second. Each leaves two
	// entries in the journal and two ids in memory, and costs nothing, so that
	// ten cents and an upstream that refuses would fill both.
	maxUndone    = 300
	undonePeriod = 5 * time.Minute

	// Tokens that are looked for in a query. Each may cost a signature.
	maxQueryTokens = 8
)

// UnpaidLimit is how many requests that pay nothing one address may send: those
// that end in a 402, in a token that is refused, or in an error of a form below
// /.paywall/. After that they are answered 429, at little cost. Requests that
// pay, or read what is paid for, do not count and are not limited; those of a
// known wallet count for the wallet.
type UnpaidLimit struct {
	// How many at once; and as many again in each period. Default: 1200.
	Requests int `json:"requests,omitempty"`

	// The period, from a second to a day. Default: a minute.
	Period caddy.Duration `json:"period,omitempty"`

	// No limit.
	Off bool `json:"off,omitempty"`
}

// settle fills in the defaults.
func (l *UnpaidLimit) settle() error {
	if l.Off {
		if l.Requests != 0 || l.Period != 0 {
			return errors.New("unpaid_limit is off and has a limit too; keep one")
		}
		return nil
	}
	if l.Requests == 0 {
		l.Requests = defaultUnpaid
	}
	if l.Period == 0 {
		l.Period = defaultUnpaidPeriod
	}
	if l.Requests < 1 || l.Requests > mostUnpaid {
		return fmt.Errorf("unpaid_limit: %d requests, must be 1 to %d", l.Requests, mostUnpaid)
	}
	if l.Period < caddy.Duration(time.Second) || l.Period > mostUnpaidPeriod {
		return fmt.Errorf("unpaid_limit: a period of %v, must be 1s to %v", time.Duration(l.Period), time.Duration(mostUnpaidPeriod))
	}
	return nil
}

// limits counts what an address or a wallet does. It lives as long as its
// configuration: a reload forgives. It takes 3 MiB, whatever comes.
type limits struct {
	unpaid *allowance // nil: unlimited
	// Tokens that are refused. Apart from unpaid, so that neighbours who only
	// look keep nobody's token from being verified.
	forged     *allowance
	undone     *allowance
	wrongCodes *allowance
	newWallets *allowance

	// See freeWallet.
	allWallets, calmWallets, scarceWallets *allowance

	noticed atomic.Int64 // when the log last told of unpaid or forged, in Unix nanoseconds
}

func newLimits(unpaid UnpaidLimit, now time.Time) *limits {
	l := &limits{
		wrongCodes: newAllowance(maxWrongCodes, wrongCodePeriod, allowanceSlots, now),
		undone:     newAllowance(maxUndone, undonePeriod, allowanceSlots, now),
		newWallets: newAllowance(maxNewWallets, newWalletPeriod, allowanceSlots, now),

		allWallets:    newAllowance(maxAllWallets, newWalletPeriod, 1, now),
		calmWallets:   newAllowance(maxCalmWallets, newWalletPeriod, 1, now),
		scarceWallets: newAllowance(maxScarceWallets, newWalletPeriod, allowanceSlots, now),
	}
	if !unpaid.Off {
		l.unpaid = newAllowance(unpaid.Requests, time.Duration(unpaid.Period), allowanceSlots, now)
		l.forged = newAllowance(unpaid.Requests, time.Duration(unpaid.Period), allowanceSlots, now)
	}
	return l
}

// freeWallet takes a wallet without a voucher for an address, or says how long
// it must wait for one.
func (l *limits) freeWallet(from party, now time.Time) (retry time.Duration, ok bool) {
	if retry, spent := l.newWallets.spent(from, now); spent {
		return retry, false
	}
	if _, scarce := l.calmWallets.spent(everybody, now); scarce {
		if retry, spent := l.scarceWallets.spent(from, now); spent {
			return retry, false
		}
	}
	if retry, ok := l.allWallets.take(everybody, now); !ok {
		return retry, false
	}
	l.calmWallets.add(everybody, now)
	l.newWallets.add(from, now)
	l.scarceWallets.add(from, now)
	return 0, true
}
