package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/cursor"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

func TestASecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	l := openAt(t, dir, time.Now)
	_, err := Open(Options{Dir: dir})
	if !errors.Is(err, wallet.ErrInUse) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "stop the other process") {
		t.Fatalf("error %v; want ErrInUse with the directory and the cure", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, dir, time.Now)
}

func TestOnlyTheOwnerCanReadTheLedger(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // files have no modes there
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	l := openAt(t, dir, time.Now)
	ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCloseEndsAllBackgroundWork(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l := openAt(t, t.TempDir(), time.Now)
	ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A map or slice of a million items without pointers is one object to the
// garbage collector; with one pointer in the item it is a million.
func TestHotStateHoldsNoPointers(t *testing.T) {
	for _, item := range []any{
		purse{}, pass{}, passKey{}, grant{}, grantItem{}, rememberedID{}, hold{}, voucher{}, wallet.OpID{}, wallet.WalletID{}, wallet.Digest{},
	} {
		if path := pointerIn(reflect.TypeOf(item)); path != "" {
			t.Errorf("%T holds a pointer: %s", item, path)
		}
	}
}

func pointerIn(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Array:
		return pointerIn(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if path := pointerIn(t.Field(i).Type); path != "" {
				return t.Field(i).Name + "." + path
			}
		}
		return ""
	case reflect.Pointer, reflect.String, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return t.String()
	}
	return ""
}

// A clock that was wrong for a while and is put back must not make forgotten
// ids new again (invariant 3).
func TestAnIDForgottenUnderAWrongClockStaysStale(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	dir := t.TempDir()
	l := openAt(t, dir, clock)
	w := ledgertest.NewWallet(t, l, clock, 100*wallet.Unit)
	charge := wallet.Charge{
		ID: ledgertest.NewID(t, clock), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a",
		Price: wallet.Unit, Window: time.Second,
	}
	done(t)(l.Charge(context.Background(), charge))

	right := now
	now = now.Add(365 * 24 * time.Hour)
	l.mu.Lock()
	for shard := range tableShards {
		l.state.forget(now.UnixMilli(), shard)
	}
	l.mu.Unlock()
	now = right.Add(2 * time.Second)
	for range 2 {
		if r, err := l.Charge(context.Background(), charge); err != nil || r.Outcome.Done() && r.Outcome != wallet.Replayed || r.Outcome == wallet.Applied {
			t.Fatalf("invariant 3: the retry answers %v, %v", r.Outcome, err)
		}
		fresh := charge
		fresh.ID = ledgertest.NewID(t, clock)
		if r, err := l.Charge(context.Background(), fresh); err != nil || r.Outcome != wallet.Applied && r.Outcome != wallet.Granted {
			t.Fatalf("a new charge answers %v, %v", r.Outcome, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = openAt(t, dir, clock)
	}
	ledgertest.AssertConserved(t, l)
}

func TestACursorOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	l := openAt(t, dir, time.Now)
	w := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	first, cursor, err := l.Entries(context.Background(), w, "", 1)
	if err != nil || cursor == "" {
		t.Fatalf("page %v, cursor %q, %v", first, cursor, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openAt(t, dir, time.Now)
	second, next, err := l.Entries(context.Background(), w, cursor, 1)
	if err != nil || len(second) != 1 || second[0].Kind != wallet.KindCreate || next != "" {
		t.Fatalf("page %v, cursor %q, %v", second, next, err)
	}
}

// Somebody can write a note that reads like a record, and a cursor that points
// at it.
func TestAForgedCursorReachesNothing(t *testing.T) {
	l := openAt(t, t.TempDir(), time.Now)
	mine := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	other := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	var id ledgerID // the forger does not have the ledger's
	for at := range uint64(2000) {
		cursor := cursor.SealNumber(id[:], "entries "+mine.String(), at)
		if _, _, err := l.Entries(context.Background(), mine, cursor, 1); !errors.Is(err, wallet.ErrInvalid) {
			t.Fatalf("cursor %q: %v, want ErrInvalid", cursor, err)
		}
	}
	_, cursor, err := l.Entries(context.Background(), other, "", 1)
	if err != nil || cursor == "" {
		t.Fatal(cursor, err)
	}
	if page, _, err := l.Entries(context.Background(), mine, cursor, 1); !errors.Is(err, wallet.ErrInvalid) {
		t.Fatalf("another wallet's cursor gave %v, %v; want ErrInvalid", page, err)
	}
}

// The open ledger does not depend on what its caller does with the Options.
func TestOpenMakesItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "paywall")
	openAt(t, dir, time.Now)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != durable.DirectoryMode {
		t.Fatalf("%v, %v", info, err)
	}
	if _, err := Open(Options{}); err == nil {
		t.Fatal("a ledger without a directory was opened")
	}
}
