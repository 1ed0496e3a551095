package actuator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var opening = Opening{Tap: wallet.OpID{6: 0x70, 8: 0x80, 15: 1}, Kiosk: "lobby", Product: "gate"}

func TestAWebhookSaysWhetherItWasOpened(t *testing.T) {
	secret, at := []byte("sixteen bytes of"), time.Unix(1_800_000_000, 0)
	answers := make(chan http.HandlerFunc, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got Opening
		if err != nil || json.Unmarshal(body, &got) != nil || got != opening {
			t.Errorf("it is asked for %s, %v", body, err)
		}
		if r.Header.Get(SignatureHeader) != Sign(secret, at, body) || !strings.HasPrefix(r.Header.Get(SignatureHeader), "t=1800000000,v1=") {
			t.Errorf("it is signed %q", r.Header.Get(SignatureHeader))
		}
		(<-answers)(w, r)
	}))
	defer server.Close()
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	client := WebhookClient()
	client.Timeout = 200 * time.Millisecond
	h := &Webhook{URL: server.URL, Secret: secret, Client: client, Now: func() time.Time { return at }}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   Outcome
	}{
		"ok":            {status(200, ""), Done},
		"no content":    {status(204, ""), Done},
		"ok, in words":  {status(200, `{"outcome":"vended"}`), Done},
		"no, in words":  {status(200, `{"outcome":"refused"}`), Refused},
		"not found":     {status(404, ""), Refused},
		"elsewhere":     {status(302, ""), Unknown},
		"its own fault": {status(500, ""), Unknown},
		"no answer":     {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Unknown},
		"a broken line": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unknown},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			w.WriteHeader(http.StatusOK)
		}, Unknown},
	} {
		answers <- c.answer
		got, err := h.Open(t.Context(), opening)
		if got != c.want || (err == nil) != (c.want == Done) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
	server.Close()
	if got, err := h.Open(t.Context(), opening); got != Refused || err == nil {
		t.Errorf("nobody listens: %v, %v", got, err)
	}
}

// The accident: the network is cut when a webhook is sent, and back minutes later. What has
// not arrived when it is given up never does: the far end sees the connection reset.
func TestAWebhookThatIsGivenUpIsNotSentOn(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			_, err = io.Copy(io.Discard, conn)
		}
		ended <- err
	}()
	h := &Webhook{URL: "http://" + listener.Addr().String(), Client: WebhookClient(), Now: time.Now}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if got, err := h.Open(ctx, opening); got != Unknown || err == nil {
		t.Errorf("it is %v, %v", got, err)
	}
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the far end sees %v", err)
	}
}

func TestAProgramSaysWhetherItWasOpened(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	out := filepath.Join(t.TempDir(), "out")
	write := Exec{[]string{"sh", "-c", `env > "$0"`, out}}
	if got, err := write.Open(t.Context(), opening); got != Done || err != nil {
		t.Fatalf("it is %v, %v", got, err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PAYWALL_TAP=" + opening.Tap.String(), "PAYWALL_KIOSK=lobby", "PAYWALL_PRODUCT=gate", "PATH="} {
		if !strings.Contains(string(text), want) {
			t.Errorf("its environment lacks %s", want)
		}
	}
	if strings.Contains(string(text), "hunter2") {
		t.Error("it is given the environment of the kiosk")
	}
	for name, c := range map[string]struct {
		argv []string
		want Outcome
	}{
		"refused":         {[]string{"sh", "-c", "exit 3"}, Refused},
		"no such program": {[]string{"/nowhere/at/all"}, Refused},
		"killed":          {[]string{"sh", "-c", "kill -9 $$"}, Unknown},
		"endless":         {[]string{"sh", "-c", "trap '' INT; sleep 60"}, Unknown},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		got, err := Exec{c.argv}.Open(ctx, opening)
		cancel()
		if got != c.want || err == nil {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
	if got, err := (None{}).Open(t.Context(), opening); got != Done || err != nil {
		t.Errorf("nobody: %v, %v", got, err)
	}
}
