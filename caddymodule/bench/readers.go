package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	secretVariable  = "BENCH_SECRET"
	signingVariable = "BENCH_SIGNING_KEY"

	audience      = "paywall" // of the tokens, as the Caddy module has it
	tokenLifetime = 24 * time.Hour
	grantWindow   = 24 * time.Hour // the module's default

	callers   = 256                // of the ledger, while it is filled
	firstPage = 1_000_000          // as in load.lua
	funds     = 1000 * wallet.Unit // of each wallet, for more views than anybody measures
)

// readers are wallets with money, each with a token, and each with the page of
// its number paid for on every site of hosts.
type readers struct {
	environment []string
	tokens      []string
	bearers     string // path of the file with an Authorization field for each
}

// makeReaders fills a ledger that no Caddy has opened yet, and closes it: by HTTP,
// new wallets are limited for each address.
func makeReaders(ctx context.Context, ledger wallet.Ledger, dir string, count int, hosts []string, now time.Time) (*readers, error) {
	secret, seed := make([]byte, 32), make([]byte, 32)
	random := seeded(0)
	_, _ = random.Read(secret) // never fails
	_, _ = random.Read(seed)
	ring, err := wallet.ConfigureKeyring([]string{hex.EncodeToString(seed)}, audience, tokenLifetime)
	if err != nil {
		return nil, err
	}
	r := &readers{
		environment: []string{secretVariable + "=" + hex.EncodeToString(secret), signingVariable + "=" + hex.EncodeToString(seed)},
		tokens:      make([]string, count),
		bearers:     filepath.Join(dir, "bearers"),
	}
	failures := make([]error, callers)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			m := maker{ctx: ctx, ledger: ledger, ring: ring, random: seeded(uint64(caller) + 1), now: now, hosts: hosts}
			for i := caller; i < count && failures[caller] == nil; i += callers {
				r.tokens[i], failures[caller] = m.make(i)
			}
		})
	}
	group.Wait()
	if err := errors.Join(append(failures, ledger.Close())...); err != nil {
		return nil, err
	}
	return r, writeLines(r.bearers, count, func(i int) string { return "Authorization: Bearer " + r.tokens[i] })
}

// seeded is random numbers that are the same in every benchmark.
func seeded(stream uint64) *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte{'b', 'e', 'n', 'c', 'h', byte(stream), byte(stream >> 8)})
}

// maker is one caller of the ledger.
type maker struct {
	ctx    context.Context
	ledger wallet.Ledger
	ring   *wallet.Keyring
	random *rand.ChaCha8
	now    time.Time
	hosts  []string
}

// make makes reader i and returns its token.
func (m *maker) make(i int) (token string, err error) {
	id, err := wallet.NewWalletID(m.random)
	if err != nil {
		return "", err
	}
	account := wallet.WalletAccount(id)
	if err := done(m.ledger.CreateWallet(m.ctx, wallet.CreateWallet{ID: m.operation(), Wallet: id})); err != nil {
		return "", err
	}
	if err := done(m.ledger.Transfer(m.ctx, wallet.Transfer{
		ID: m.operation(), From: wallet.FundingOperator, To: account, Amount: funds,
	})); err != nil {
		return "", err
	}
	cost, err := wallet.ParseAmount(price)
	if err != nil {
		return "", err
	}
	for _, host := range m.hosts {
		if err := done(m.ledger.Charge(m.ctx, wallet.Charge{
			ID: m.operation(), Wallet: id, Generation: 1, Rule: ruleName, Price: cost, Window: grantWindow,
			Resource: meter.Resource(host, pagePath(i)),
		})); err != nil {
			return "", err
		}
	}
	return m.ring.Mint(wallet.Claims{Wallet: id, Generation: 1, Issued: m.now, Expires: m.now.Add(tokenLifetime)})
}

func (m *maker) operation() wallet.OpID {
	id, err := wallet.NewOpID(time.Now(), m.random)
	if err != nil {
		panic("bench: " + err.Error()) // the generator never fails
	}
	return id
}

func done(receipt wallet.Receipt, err error) error {
	if err == nil && !receipt.Outcome.Done() {
		err = fmt.Errorf("the ledger answers %v", receipt.Outcome)
	}
	return err
}

// pagePath is the address of a priced page by its number, as in load.lua.
func pagePath(i int) string { return pricedPath + strconv.Itoa(firstPage+i) }

func writeLines(path string, count int, line func(int) string) error {
	var text bytes.Buffer
	for i := range count {
		text.WriteString(line(i))
		text.WriteByte('\n')
	}
	return os.WriteFile(path, text.Bytes(), 0o600)
}
