package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// tapSite is a Caddy with the paywall, a kiosk of it in this process, and a wallet.
type tapSite struct {
	dir     string
	program string // of Caddy
	url     string
	admin   string
	caddy   *process
	token   string // of the wallet
	kiosk   *client.Client
	desk    *tap.Desk
	product wire.Product
}

const tapSiteFile = `{
	admin {admin}
	auto_https off
	persist_config off
	log {
		level ERROR
	}
	paywall {
		kiosks {
			product gate 0.01
			limit uid 1 1000000
			limit sun 1 1000000
			limit mutual 1 1000000
			limit emv 1 1000000
		}
	}
}

http://{files} {
	bind 127.0.0.1
	paywall /p/* 0.001
	respond "free"
}
`

// openTapSite starts everything in dir. Stop its Caddy in the end.
func openTapSite(ctx context.Context, built programs, dir string) (s *tapSite, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	at, err := drawAddresses()
	if err != nil {
		return nil, err
	}
	s = &tapSite{dir: dir, program: built.paywall, url: "http://" + at.files, admin: at.admin}
	caddyfile := filepath.Join(dir, "Caddyfile")
	text := strings.NewReplacer("{admin}", at.admin, "{files}", at.files).Replace(tapSiteFile)
	if err := os.WriteFile(caddyfile, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if s.caddy, err = launch(dir, "paywall", s.url, nil, s.program, "run", "--config", caddyfile, "--adapter", "caddyfile"); err != nil {
		return nil, err
	}
	if err = s.caddy.ready(s.url + freePath); err == nil {
		if err = s.openWallet(ctx); err == nil {
			err = s.openKiosk(ctx)
		}
	}
	if err != nil {
		s.caddy.stop()
		return nil, err
	}
	return s, nil
}

// operator runs caddy paywall and decodes what it prints.
func (s *tapSite) operator(ctx context.Context, into any, args ...string) error {
	command := exec.CommandContext(ctx, s.program, append([]string{"paywall", "--json", "--address", s.admin}, args...)...)
	command.Env = s.caddy.env
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("caddy paywall %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, into)
}

// post sends JSON as the wallet, once there is one, and decodes the answer.
func (s *tapSite) post(ctx context.Context, path string, fields, into any) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s is answered %s: %s", path, answer.Status, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// openWallet makes a wallet with more money than anybody taps for.
func (s *tapSite) openWallet(ctx context.Context) error {
	var made struct{ Token string }
	if err := s.post(ctx, "/.paywall/wallets", struct{}{}, &made); err != nil {
		return err
	}
	s.token = made.Token
	var vouchers []struct{ Code string }
	if err := s.operator(ctx, &vouchers, "voucher", "create", "--value", "10000.00"); err != nil {
		return err
	}
	var redeemed struct{}
	return s.post(ctx, "/.paywall/vouchers/redeem", map[string]string{"code": vouchers[0].Code}, &redeemed)
}

// enrol makes a kiosk of a name, whose identity is kept at a path.
func (s *tapSite) enrol(ctx context.Context, name, path string, more ...string) (*client.Client, error) {
	var made struct{ Code string }
	if err := s.operator(ctx, &made, append([]string{"kiosk", "enrol", name}, more...)...); err != nil {
		return nil, err
	}
	id, err := client.Enrol(ctx, s.url, made.Code, path, nil)
	if err != nil {
		return nil, err
	}
	return client.New(id, nil)
}

// openKiosk makes a kiosk that opens nothing, and may issue cards.
func (s *tapSite) openKiosk(ctx context.Context) (err error) {
	if s.kiosk, err = s.enrol(ctx, "bench", filepath.Join(s.dir, "identity.json"), "--issuer"); err != nil {
		return err
	}
	policy, err := s.kiosk.State(ctx, wire.State{Version: "bench"})
	if err != nil {
		return err
	}
	if s.product, err = tapProduct(policy); err != nil {
		return err
	}
	j, err := journal.Open(filepath.Join(s.dir, "journal"))
	if err != nil {
		return err
	}
	s.desk = &tap.Desk{
		Kiosk: "bench", Paywall: s.kiosk, Actuator: actuator.None{}, Patience: client.Timeout, Opening: time.Second,
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	return s.desk.Start(j)
}

// buildKiosk builds the kiosk's program into dir, for a machine.
func buildKiosk(ctx context.Context, dir, name string, machine ...string) (path string, err error) {
	path = filepath.Join(dir, name)
	args := append([]string{"build"}, buildFlags...)
	command := exec.CommandContext(ctx, "go", append(args, "-o", path, kioskPath)...)
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0"), machine...)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}
