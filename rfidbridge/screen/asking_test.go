package screen

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// asks has the screen ask for a PIN. It returns the form's token, and what is entered.
func (s *stage) asks(ctx context.Context, wrong bool) (token string, entered func() (wire.PIN, error)) {
	s.Helper()
	type result struct {
		digits wire.PIN
		err    error
	}
	results := make(chan result, 1)
	go func() {
		digits, err := s.PIN(ctx, wrong)
		results <- result{digits, err}
	}()
	hidden := regexp.MustCompile(`name="token" value="([^"]+)"`)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		page, _ := s.get("/")
		if found := hidden.FindStringSubmatch(page); found != nil {
			return found[1], func() (wire.PIN, error) { r := <-results; return r.digits, r.err }
		}
	}
	s.Fatal("it does not ask")
	return "", nil
}

// post sends a form as a browser does.
func (s *stage) post(path string, fields url.Values, change func(*http.Request)) int {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.server.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.server.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	change(r)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	if back := response.Header.Get("Location"); back != "" && !strings.HasPrefix(back, "/") {
		s.Errorf("it leads to %s", back)
	}
	return response.StatusCode
}

func asIs(*http.Request) {}

func TestAPINIsEnteredByAPlainForm(t *testing.T) {
	s := raise(t)
	s.Sells(gate, "USD")
	token, entered := s.asks(t.Context(), false)
	s.says("/?lang=fr", "Saisissez le code", `action="/pin?lang=fr"`, `type="password"`, `inputmode="numeric"`, `autocomplete="off"`, `<label for="pin">`, "Annuler", "0.10")
	s.says("/", `http-equiv="refresh" content="46"`) // what is typed is not lost
	if status := s.post("/pin?lang=fr", url.Values{"token": {token}, "pin": {"4711"}, "do": {"enter"}}, asIs); status != http.StatusSeeOther {
		t.Errorf("it answers %d", status)
	}
	s.says("/", "Checking", `content="1"`)
	if digits, err := entered(); err != nil || digits != "4711" {
		t.Errorf("entered is %v", err)
	}
	token, entered = s.asks(t.Context(), true)
	s.says("/", "Wrong PIN", "Three wrong ones", `class="bad asks"`)
	s.post("/pin", url.Values{"token": {token}, "do": {"cancel"}}, asIs)
	if _, err := entered(); !errors.Is(err, tap.ErrCancelled) {
		t.Errorf("cancelled is %v", err)
	}
	if page, _ := s.get("/"); strings.Contains(page, "4711") || strings.Contains(page, "/pin") {
		t.Error("the page goes on to ask, or shows what was entered")
	}
}

// Whoever goes away is not waited for.
func TestNobodyIsAskedForLong(t *testing.T) {
	s := raise(t)
	s.patience = 20 * time.Millisecond
	if _, err := s.PIN(t.Context(), false); !errors.Is(err, tap.ErrCancelled) {
		t.Errorf("after a while: %v", err)
	}
	s.patience = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	_, entered := s.asks(ctx, false)
	cancel()
	if _, err := entered(); !errors.Is(err, tap.ErrCancelled) {
		t.Errorf("when it is over: %v", err)
	}
	_, entered = s.asks(t.Context(), false)
	s.Cancel()
	if _, err := entered(); !errors.Is(err, tap.ErrCancelled) {
		t.Errorf("when the kiosk is switched off: %v", err)
	}
	s.Cancel() // of nothing
}

// The attack: another page in the kiosk's browser, or what leads here by another name, sends
// PINs or cancels, and a form is sent again.
func TestOnlyThisPageEntersAPIN(t *testing.T) {
	s := raise(t)
	old, entered := s.asks(t.Context(), false)
	s.post("/pin", url.Values{"token": {old}, "pin": {"1111"}}, asIs)
	if _, err := entered(); err != nil {
		t.Fatal(err)
	}
	token, entered := s.asks(t.Context(), false)
	form := func(token, digits string) url.Values { return url.Values{"token": {token}, "pin": {digits}} }
	for name, c := range map[string]struct {
		fields url.Values
		change func(*http.Request)
		want   int
	}{
		"another origin":    {form(token, "4711"), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"an older browser":  {form(token, "4711"), func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		"another name":      {form(token, "4711"), func(r *http.Request) { r.Host = "evil.example:8404" }, http.StatusMisdirectedRequest},
		"no token":          {form("", "4711"), asIs, http.StatusSeeOther},
		"the token before":  {form(old, "4711"), asIs, http.StatusSeeOther},
		"its cancel":        {url.Values{"token": {old}, "do": {"cancel"}}, asIs, http.StatusSeeOther},
		"no digits":         {form(token, "47a1"), asIs, http.StatusSeeOther},
		"few":               {form(token, "471"), asIs, http.StatusSeeOther},
		"many":              {form(token, "471147114"), asIs, http.StatusSeeOther},
		"a long form":       {form(token, strings.Repeat("1", mostForm)), asIs, http.StatusBadRequest},
		"by a GET":          {form(token, "4711"), func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed},
		"in the address":    {nil, func(r *http.Request) { r.URL.RawQuery = form(token, "4711").Encode() }, http.StatusSeeOther},
		"with a bad return": {form("", "4711"), func(r *http.Request) { r.URL.RawQuery = "lang=//evil.example" }, http.StatusSeeOther},
	} {
		if status := s.post("/pin", c.fields, c.change); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
	s.post("/pin", form(token, "2222"), asIs)
	if digits, err := entered(); err != nil || digits != "2222" {
		t.Errorf("something else was entered first: %v", err)
	}
}
