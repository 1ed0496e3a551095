package kiosk

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	kioskPrefix = "kiosk:"
	codePrefix  = "kiosk-code:"

	codeLife = 10 * time.Minute

	mostReaders = 8
	mostText    = 60 // characters of a version, a reader's name, a fault
)

// Kiosk is what the paywall knows of one.
type Kiosk struct {
	Name     string     `json:"-"`
	Key      []byte     `json:"key"` // its public Ed25519 key
	Enrolled int64      `json:"enrolled"`
	Seen     int64      `json:"seen,omitempty"` // milliseconds since 1970, of its newest request
	Disabled bool       `json:"disabled,omitempty"`
	Issuer   bool       `json:"issuer,omitempty"` // it may have cards personalised
	Sequence uint64     `json:"sequence"`         // of its newest request
	State    wire.State `json:"state"`
	Taps     []Note     `json:"taps,omitempty"` // the last, the newest last
	Till     []byte     `json:"till,omitempty"` // of a browser, which has a secret in the place of a key: its digest
}

// enrolment is for whom a code is.
type enrolment struct {
	Kiosk   string `json:"kiosk"`
	Issuer  bool   `json:"issuer,omitempty"`
	Expires int64  `json:"expires"`
}

// NewCode draws a code with which one machine can become the kiosk of a name, once and for
// ten minutes; issuer: one that may issue cards. A kiosk of that name keeps its key until
// the code is used. Codes that are over are forgotten.
func (c *Cashier) NewCode(ctx context.Context, name string, issuer bool) (wallet.Code, time.Time, error) {
	if !wire.IsName(name) || name == PhoneKiosk {
		return wallet.Code{}, time.Time{}, fmt.Errorf("%w: a kiosk's name is not phone, and 1 to 40 lower-case letters, digits and hyphens", ErrInvalid)
	}
	if err := c.forgetCodes(ctx); err != nil {
		return wallet.Code{}, time.Time{}, err
	}
	code, err := wallet.NewVoucherCode(c.Random)
	if err != nil {
		return wallet.Code{}, time.Time{}, err
	}
	expires := c.Now().Add(codeLife)
	return code, expires, c.save(ctx, c.codeRegister(code), wallet.OpID{}, enrolment{name, issuer, expires.UnixMilli()})
}

func (c *Cashier) codeRegister(code wallet.Code) string {
	digest := code.Digest(c.Keys.Codes)
	return codePrefix + hex.EncodeToString(digest[:])
}

func (c *Cashier) forgetCodes(ctx context.Context) error {
	return c.each(ctx, codePrefix, func(r wallet.Register) error {
		var e enrolment
		if json.Unmarshal([]byte(r.Value), &e) == nil && e.Expires > c.Now().UnixMilli() {
			return nil
		}
		if err := c.save(ctx, r.Name, r.Put, nil); !errors.Is(err, errChanged) {
			return err
		}
		return nil
	})
}

// Enrol makes a machine the kiosk that a code is for. A kiosk that had the name before is
// none any more: its key is forgotten. ErrCode where the code does not do.
func (c *Cashier) Enrol(ctx context.Context, e wire.Enrol) (wire.Enrolled, error) {
	if len(e.Key) != ed25519.PublicKeySize {
		return wire.Enrolled{}, fmt.Errorf("%w: the key has %d bytes, and needs %d", ErrInvalid, len(e.Key), ed25519.PublicKeySize)
	}
	given, err := c.useCode(ctx, e.Code)
	if err != nil {
		return wire.Enrolled{}, err
	}
	return wire.Enrolled{Kiosk: given.Kiosk}, c.enrolled(ctx, given.Kiosk, Kiosk{Key: e.Key, Issuer: given.Issuer})
}

// useCode returns for whom a code is, once. ErrCode.
func (c *Cashier) useCode(ctx context.Context, text string) (given enrolment, err error) {
	code, err := wallet.ParseVoucherCode(text)
	if err != nil {
		return given, ErrCode
	}
	name := c.codeRegister(code)
	given, put, err := load[enrolment](ctx, c, name)
	if errors.Is(err, wallet.ErrNotFound) || err == nil && given.Expires <= c.Now().UnixMilli() {
		return given, ErrCode
	}
	if err != nil {
		return given, err
	}
	if err = c.save(ctx, name, put, nil); errors.Is(err, errChanged) {
		err = ErrCode // somebody else has used it at the same time
	}
	return given, err
}

// enrolled writes the kiosk down, in place of one that had the name.
func (c *Cashier) enrolled(ctx context.Context, name string, fresh Kiosk) error {
	fresh.Enrolled = c.Now().UnixMilli()
	for range tries {
		_, put, err := load[Kiosk](ctx, c, kioskPrefix+name)
		if err != nil && !errors.Is(err, wallet.ErrNotFound) {
			return err
		}
		if err := c.save(ctx, kioskPrefix+name, put, fresh); !errors.Is(err, errChanged) {
			return err
		}
	}
	return ErrBusy
}

// Authenticate finds whose a request is. It counts: the sequence of its token must be above
// that of every request of the kiosk before, and is written down before anything else
// happens. ErrUnauthorized, ErrDisabled.
func (c *Cashier) Authenticate(ctx context.Context, token string, r wire.Request) (Kiosk, error) {
	name, err := wire.Issuer(token)
	if err != nil {
		return Kiosk{}, fmt.Errorf("%w: %w", ErrUnauthorized, err)
	}
	r.Kiosk = name
	notes := 0
	k, err := update(ctx, c, kioskPrefix+name, func(k *Kiosk) error {
		sequence, err := r.Verify(token, k.Key, c.Now())
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrUnauthorized, err)
		case k.Disabled:
			return ErrDisabled
		case sequence <= k.Sequence:
			return fmt.Errorf("%w: the request has been seen before, or a later one has", ErrUnauthorized)
		}
		k.Sequence, k.Seen = sequence, c.Now().UnixMilli()
		k.Taps, notes = c.Notes.with(name, k.Taps)
		return nil
	})
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		err = fmt.Errorf("%w: there is none of this name", ErrUnauthorized)
	case err == nil && notes > 0:
		c.Notes.written(name, notes)
	}
	if err == nil {
		c.Notes.pulses.seen(name, c.Now())
	}
	k.Name = name
	return k, err
}

// Report takes note of a kiosk's state and answers with what there is to buy.
func (c *Cashier) Report(ctx context.Context, k Kiosk, s wire.State) (wire.Policy, error) {
	if len(s.Readers) > mostReaders || s.Backlog < 0 || s.Oldest < 0 {
		return wire.Policy{}, fmt.Errorf("%w: a kiosk has at most %d readers", ErrInvalid, mostReaders)
	}
	s.Version = cut(s.Version)
	for i := range s.Readers {
		s.Readers[i] = wire.Reader{Name: cut(s.Readers[i].Name), Fault: cut(s.Readers[i].Fault)}
	}
	_, err := update(ctx, c, kioskPrefix+k.Name, func(k *Kiosk) error {
		k.State = s
		return nil
	})
	if err == nil {
		c.Notes.pulses.reported(k.Name, s)
	}
	policy := wire.Policy{Currency: c.Currency.String(), Time: c.Now().UnixMilli()}
	for name := range c.Products {
		p, _, _ := c.product(name)
		policy.Products = append(policy.Products, p)
	}
	sortProducts(policy.Products)
	if err == nil && c.Offline != nil {
		policy.Offline, err = c.offline(ctx, k, s.Denials)
	}
	return policy, err
}

// cut makes a text short and printable.
func cut(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > mostText {
		text = string(runes[:mostText])
	}
	return text
}

// Kiosks lists all, by name.
func (c *Cashier) Kiosks(ctx context.Context) (all []Kiosk, err error) {
	err = c.each(ctx, kioskPrefix, func(r wallet.Register) error {
		k := Kiosk{Name: strings.TrimPrefix(r.Name, kioskPrefix)}
		if json.Unmarshal([]byte(r.Value), &k) != nil {
			return fmt.Errorf("%w: the register of kiosk %s does not read", wallet.ErrCorrupt, k.Name)
		}
		k.Taps, _ = c.Notes.with(k.Name, k.Taps)
		all = append(all, k)
		return nil
	})
	return all, err
}

// Disable stops a kiosk from doing anything, or lets it. wallet.ErrNotFound.
func (c *Cashier) Disable(ctx context.Context, name string, disabled bool) error {
	_, err := update(ctx, c, kioskPrefix+name, func(k *Kiosk) error {
		if k.Disabled == disabled {
			return errKeep
		}
		k.Disabled = disabled
		return nil
	})
	if err == nil && disabled {
		c.Notes.pulses.stopped(name)
	}
	return err
}
