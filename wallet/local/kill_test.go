package local

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

const (
	// childDirectory tells the test binary, run again, that it is the process to
	// be killed, and where its ledger lies.
	childDirectory = "PAYWALL_TEST_KILL_DIRECTORY"
	// childLies makes the child's ledger acknowledge without a sync.
	childLies = "PAYWALL_TEST_KILL_UNSYNCED"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDirectory); dir != "" {
		open := Open
		if os.Getenv(childLies) != "" {
			open = openUnsynced
		}
		chargeUntilKilled(open(Options{Dir: dir, SegmentSize: 256 << 10}))
	}
	os.Exit(m.Run())
}

// openUnsynced opens a ledger whose flights are never made durable.
func openUnsynced(o Options) (*Ledger, error) {
	if err := durable.MakeDirectory(o.Dir); err != nil {
		return nil, err
	}
	return openOn(unsynced{directory(o.Dir)}, o)
}

type unsynced struct{ directory }

func (u unsynced) Open(name string) (file, error) {
	f, err := u.directory.Open(name)
	return unsyncedFile{f}, err
}

type unsyncedFile struct{ file }

func (unsyncedFile) Sync() error { return nil }

const (
	killRounds  = 6
	killWallets = 16
	killCallers = 32
	killPrice   = wallet.Unit / 100
)

// killWallet is a wallet of the child's, by number.
func killWallet(i int) (id wallet.WalletID) {
	binary.BigEndian.PutUint64(id[:], uint64(i+1))
	return id
}

// TestAcknowledgedSurvivesKill kills a process under load at random instants.
// What it had acknowledged must be there, in its exact receipt (invariants 3, 5),
// and the books must add up (invariant 1).
func TestAcknowledgedSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := 0
	for range killRounds {
		lines := runAndKill(t, dir, 50*time.Millisecond+time.Duration(random.IntN(250))*time.Millisecond)
		l := openAt(t, dir, time.Now)
		for _, line := range lines {
			checkAcknowledged(t, l, line)
		}
		acknowledged += len(lines)
		ledgertest.AssertConserved(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acknowledged < 100*killRounds {
		t.Fatalf("only %d charges acknowledged in %d rounds: the load was too small to prove anything", acknowledged, killRounds)
	}
}

// runAndKill runs the child, kills it after a while of load and returns the
// whole lines it has printed.
func runAndKill(t *testing.T, dir string, after time.Duration) []string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDirectory+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	reader := bufio.NewReader(out)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			break // the last line may be cut off: that charge was not acknowledged
		}
		if len(lines) == 0 {
			time.AfterFunc(after, func() { child.Process.Kill() })
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return lines
}

// checkAcknowledged repeats an acknowledged charge: it must be remembered, with
// its receipt.
func checkAcknowledged(t *testing.T, l *Ledger, line string) {
	t.Helper()
	charge, balance, until := acknowledgedCharge(t, line)
	r, err := l.Charge(context.Background(), charge)
	if err != nil || r.Outcome != wallet.Replayed || int64(r.Balance) != balance || r.Until.UnixMilli() != until {
		t.Fatalf("invariant 5: acknowledged charge %q is now %+v, %v", line, r, err)
	}
}

// acknowledgedCharge reads a line of the child's.
func acknowledgedCharge(t *testing.T, line string) (charge wallet.Charge, balance, until int64) {
	t.Helper()
	var number int
	var id string
	if _, err := fmt.Sscanf(line, "%d %s %d %d", &number, &id, &balance, &until); err != nil {
		t.Fatalf("the child printed %q: %v", line, err)
	}
	op, err := wallet.ParseOpID(id)
	if err != nil {
		t.Fatal(err)
	}
	return killCharge(number, op), balance, until
}

func killCharge(number int, id wallet.OpID) wallet.Charge {
	return wallet.Charge{
		ID: id, Wallet: killWallet(number), Generation: 1, Rule: "news",
		Resource: "news:/" + id.String(), Price: killPrice, Window: time.Hour,
	}
}

// chargeUntilKilled is the child: it charges from many goroutines and prints
// each charge that was acknowledged, and never returns.
func chargeUntilKilled(l *Ledger, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx := context.Background()
	for i := range killWallets {
		l.CreateWallet(ctx, wallet.CreateWallet{ID: newID(), Wallet: killWallet(i)})
		l.Transfer(ctx, wallet.Transfer{
			ID: newID(), From: wallet.FundingOperator, To: wallet.WalletAccount(killWallet(i)), Amount: 1000 * wallet.Unit,
		})
	}
	for c := range killCallers {
		go func() {
			for {
				id := newID()
				r, err := l.Charge(ctx, killCharge(c%killWallets, id))
				if err != nil || r.Outcome != wallet.Applied {
					fmt.Fprintln(os.Stderr, "child:", r.Outcome, err)
					os.Exit(1)
				}
				fmt.Printf("%d %s %d %d\n", c%killWallets, id, int64(r.Balance), r.Until.UnixMilli())
			}
		}()
	}
	select {}
}
