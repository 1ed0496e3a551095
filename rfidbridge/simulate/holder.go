package simulate

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// holder is whoever has the virtual card: a number and the token of a wallet. It talks to
// the paywall as any program does that has a wallet.
type holder struct {
	site  string
	card  uid.UID
	token string
	http  *http.Client
}

type holderFile struct {
	Site  string `json:"site"`
	Card  []byte `json:"card"`
	Token string `json:"token"`
}

// newHolder takes the card and the wallet that the state has for this site, or makes both.
func newHolder(ctx context.Context, o Options) (*holder, error) {
	path := filepath.Join(o.State, "holder.json")
	h := &holder{site: strings.TrimSuffix(o.Site, "/"), http: &http.Client{Timeout: 5 * time.Second}}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var kept holderFile
	if err == nil && json.Unmarshal(text, &kept) == nil && kept.Site == h.site {
		h.token = kept.Token
		if h.card, err = uid.New(kept.Card); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if _, err := h.balance(ctx); err == nil {
			return h, nil // else the paywall does not know the wallet any more
		}
	}
	var made struct {
		Token string `json:"token"`
	}
	if err := h.post(ctx, "/.paywall/wallets", struct{}{}, &made); err != nil {
		return nil, err
	}
	number := make([]byte, 7)
	_, _ = rand.Read(number) // never fails
	number[0] = 0x04         // of NXP
	if h.card, err = uid.New(number); err != nil {
		return nil, err
	}
	h.token = made.Token
	if text, err = json.Marshal(holderFile{h.site, number, h.token}); err != nil {
		return nil, err
	}
	return h, os.WriteFile(path, text, 0o600)
}

// balance is what the wallet has, as the paywall writes it.
func (h *holder) balance(ctx context.Context) (string, error) {
	var shown struct {
		Balance struct {
			Amount   string `json:"amount"`
			Currency string `json:"currency"`
		} `json:"balance"`
	}
	err := h.ask(ctx, http.MethodGet, "/.paywall/wallet", nil, &shown)
	return shown.Balance.Amount + " " + shown.Balance.Currency, err
}

func (h *holder) redeem(ctx context.Context, code string) error {
	return h.post(ctx, "/.paywall/vouchers/redeem", map[string]string{"code": code}, nil)
}

func (h *holder) claim(ctx context.Context, claim string) error {
	return h.post(ctx, "/.paywall/cards/add", map[string]string{"claim": claim, "name": "Virtual card"}, nil)
}

func (h *holder) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return h.ask(ctx, http.MethodPost, path, body, out)
}

func (h *holder) ask(ctx context.Context, method, path string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, h.site+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	if h.token != "" {
		request.Header.Set("Authorization", "Bearer "+h.token)
	}
	response, err := h.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	const enough = 1 << 20
	answer, err := io.ReadAll(io.LimitReader(response.Body, enough))
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		var problem struct {
			Title string `json:"title"`
		}
		_ = json.Unmarshal(answer, &problem)
		return fmt.Errorf("the paywall answers %d: %s", response.StatusCode, problem.Title)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
