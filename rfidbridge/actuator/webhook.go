package actuator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// SignatureHeader carries t=<seconds since 1970>,v1=<hex>: HMAC-SHA-256 with the secret over
// the seconds, a point, and the body. Whoever receives it refuses what is older than some
// minutes, and opens once for one tap.
const SignatureHeader = "Kiosk-Signature"

// Webhook asks another machine to open: POST with an Opening in JSON. 2xx is done, unless
// the answer says otherwise: {"outcome":"refused"}; 4xx is refused; all else is unknown.
type Webhook struct {
	URL    string
	Secret []byte       // at least 16 bytes
	Client *http.Client // see [WebhookClient]
	Now    func() time.Time
}

// WebhookClient follows nobody elsewhere, and sends nothing any more once it has given up: the
// system would go on trying for minutes, and something would open when the network is back.
// Each opening has a connection of its own: of one that was kept and has ended meanwhile
// nobody could tell whether it was heard.
func WebhookClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if tcp, is := conn.(*net.TCPConn); is && err == nil {
			err = tcp.SetLinger(0)
		}
		return conn, err
	}
	return &http.Client{
		Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Open implements [Actuator].
func (h *Webhook) Open(ctx context.Context, o Opening) (Outcome, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return refused("the opening cannot be written: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return refused("the webhook's address: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(SignatureHeader, Sign(h.Secret, h.Now(), body))
	response, err := h.Client.Do(request)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) { // nobody has heard of it
			return refused("the webhook: %w", err)
		}
		return Unknown, fmt.Errorf("the webhook: %w", err)
	}
	defer response.Body.Close()
	const enough = 4 << 10
	answer, err := io.ReadAll(io.LimitReader(response.Body, enough))
	switch {
	case response.StatusCode >= 400 && response.StatusCode < 500:
		return refused("the webhook answers %d", response.StatusCode)
	case response.StatusCode < 200 || response.StatusCode > 299:
		return Unknown, fmt.Errorf("the webhook answers %d", response.StatusCode)
	case err != nil:
		return Unknown, fmt.Errorf("the webhook's answer: %w", err)
	}
	var said struct {
		Outcome string `json:"outcome"`
	}
	if json.Unmarshal(answer, &said) == nil && said.Outcome == Refused.String() {
		return refused("the webhook answers that it has not been opened")
	}
	return Done, nil
}

// Sign is the value of SignatureHeader.
func Sign(secret []byte, now time.Time, body []byte) string {
	seconds := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
