package actuator

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
	h := &Webhook{URL: server.URL, Secret: secret, Client: &http.Client{Timeout: 200 * time.Millisecond}, Now: func() time.Time { return at }}
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
