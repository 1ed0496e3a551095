package caddymodule

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// answer is a response read to its end.
type answer struct {
	*http.Response
	body string
}

// visitor is somebody who asks: a browser with cookies, or a machine with a
// token. It does not follow redirects by itself.
type visitor struct {
	*site
	client *http.Client
	header http.Header
}

// browser is a reader's browser, without a wallet.
func (s *site) browser() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &visitor{s, &http.Client{Jar: jar, CheckRedirect: dontFollow}, http.Header{
		"Accept":         {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
		"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"same-origin"},
	}}
}

// machine is a program that reads JSON, with a new wallet of that much money.
func (s *site) machine(money string) *visitor {
	s.Helper()
	v := s.stranger()
	var made madeJSON
	s.decode([]byte(v.post("/.paywall/wallets", nil).wants(http.StatusCreated).body), &made)
	v.header.Set("Authorization", "Bearer "+made.Token)
	if money != "" {
		v.post("/.paywall/vouchers/redeem", map[string]any{"code": s.voucher(money)}).wants(http.StatusOK)
	}
	return v
}

// stranger is a program without a wallet.
func (s *site) stranger() *visitor {
	return &visitor{s, &http.Client{CheckRedirect: dontFollow}, http.Header{"Accept": {"application/json"}}}
}

func dontFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// with is the same visitor with another header field.
func (v *visitor) with(name, value string) *visitor {
	other := *v
	other.header = v.header.Clone()
	other.header.Set(name, value)
	return &other
}

func (v *visitor) get(path string) *checked { v.Helper(); return v.do(http.MethodGet, path, "", "") }

// post sends JSON.
func (v *visitor) post(path string, body any) *checked {
	v.Helper()
	if body == nil {
		return v.do(http.MethodPost, path, "", "")
	}
	text, err := json.Marshal(body)
	if err != nil {
		v.Fatal(err)
	}
	return v.do(http.MethodPost, path, "application/json", string(text))
}

// submit sends a form.
func (v *visitor) submit(path string, fields url.Values) *checked {
	v.Helper()
	return v.do(http.MethodPost, path, "application/x-www-form-urlencoded", fields.Encode())
}

func (v *visitor) do(method, path, media, body string) *checked {
	v.Helper()
	r, err := http.NewRequest(method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.Fatal(err)
	}
	r.Header = v.header.Clone()
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	return v.send(r)
}

func (v *visitor) send(r *http.Request) *checked {
	v.Helper()
	resp, err := v.client.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.Fatal(err)
	}
	return &checked{v, answer{resp, string(body)}}
}

// balance is what the visitor's wallet has.
func (v *visitor) balance() string {
	v.Helper()
	var held walletJSON
	v.decode([]byte(v.with("Accept", "application/json").get("/.paywall/wallet").wants(http.StatusOK).body), &held)
	return held.Balance.Amount
}

func (v *visitor) wantsBalance(want string) {
	v.Helper()
	if got := v.balance(); got != want {
		v.Fatalf("the wallet holds %s, want %s", got, want)
	}
}

// checked is an answer with assertions that stop the test.
type checked struct {
	*visitor
	answer
}

func (c *checked) wants(status int) *checked {
	c.Helper()
	if c.StatusCode != status {
		c.Fatalf("%s %s answers %d, want %d\n%v\n%.600s", c.Request.Method, c.Request.URL, c.StatusCode, status, c.Header, c.body)
	}
	return c
}

func (c *checked) wantsHeader(name, want string) *checked {
	c.Helper()
	if got := strings.Join(c.Header.Values(name), ", "); got != want {
		c.Fatalf("%s %s has %s %q, want %q", c.Request.Method, c.Request.URL, name, got, want)
	}
	return c
}

func (c *checked) says(texts ...string) *checked {
	c.Helper()
	for _, text := range texts {
		if !strings.Contains(c.body, text) {
			c.Fatalf("%s does not say %q:\n%.3000s", c.Request.URL, text, c.body)
		}
	}
	return c
}

func (c *checked) saysNot(texts ...string) *checked {
	c.Helper()
	for _, text := range texts {
		if strings.Contains(c.body, text) {
			c.Fatalf("%s says %q", c.Request.URL, text)
		}
	}
	return c
}

// field is the value of a hidden field of a form on the page.
func (c *checked) field(name string) string {
	c.Helper()
	_, rest, found := strings.Cut(c.body, `name="`+name+`" value="`)
	value, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		c.Fatalf("no field %s on %s:\n%s", name, c.Request.URL, c.body)
	}
	return value
}

// follow goes where a 303 leads.
func (c *checked) follow() *checked {
	c.Helper()
	c.wants(http.StatusSeeOther)
	return c.get(c.Header.Get("Location"))
}
