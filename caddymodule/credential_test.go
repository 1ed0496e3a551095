package caddymodule

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// issuer is an app with keys and nothing else, and a way to make its tokens.
type issuer struct {
	testing.TB
	*App
	keys   *keys
	wallet wallet.WalletID
}

func newIssuer(t testing.TB) issuer {
	t.Helper()
	ring, err := wallet.NewKeyring(tokenAudience, time.Hour, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := wallet.NewWalletID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{t, &App{now: time.Now, limits: newLimits(UnpaidLimit{Off: true}, time.Now())}, &keys{ring: ring}, id}
}

// token is a token that was issued so long ago and lasts an hour.
func (i issuer) token(ago time.Duration) string {
	i.Helper()
	issued := time.Now().Add(-ago)
	token, err := i.keys.ring.Mint(wallet.Claims{Wallet: i.wallet, Generation: 1, Issued: issued, Expires: issued.Add(time.Hour)})
	if err != nil {
		i.Fatal(err)
	}
	return token
}

func TestACredentialIsABearerTokenElseACookie(t *testing.T) {
	i := newIssuer(t)
	good, old := i.token(0), i.token(2*time.Hour)
	for _, c := range []struct {
		what   string
		pairs  []string
		status int // of the problem; 0: none
		found  bool
		bearer bool
	}{
		{"nothing", nil, 0, false, false},
		{"a token", []string{"Authorization", "Bearer " + good}, 0, true, true},
		{"a token in another case", []string{"Authorization", "bearer  " + good + " "}, 0, true, true},
		{"a cookie", []string{"Cookie", "paywall=" + good}, 0, true, false},
		{"both: the token was sent on purpose", []string{"Authorization", "Bearer " + good, "Cookie", "paywall=" + old}, 0, true, true},
		{"the site's own scheme and a cookie", []string{"Authorization", "Basic dTpw", "Cookie", "paywall=" + good}, 0, true, false},
		{"an old token", []string{"Authorization", "Bearer " + old}, 401, false, false},
		{"an old cookie", []string{"Cookie", "paywall=" + old}, 0, false, false},
		{"a foreign cookie", []string{"Cookie", "paywall=x.y.z"}, 0, false, false},
		{"no token after the scheme", []string{"Authorization", "Bearer "}, 400, false, false},
		{"only the scheme", []string{"Authorization", "Bearer"}, 400, false, false},
		{"two tokens", []string{"Authorization", "Bearer " + good, "Authorization", "Bearer " + good}, 400, false, false},
		{"a token and a password", []string{"Authorization", "Bearer " + good, "Authorization", "Basic dTpw"}, 400, false, false},
		{"two cookies", []string{"Cookie", "paywall=" + good + "; paywall=" + good}, 400, false, false},
		{"two cookies in two lines", []string{"Cookie", "paywall=" + good, "Cookie", "paywall=" + old}, 400, false, false},
		{"the cookie of TLS without it", []string{"Cookie", "__Host-paywall=" + good}, 0, false, false},
	} {
		cred, err := i.credentialOf(i.keys, requestOf("GET", "/", c.pairs...))
		status := 0
		if p, ok := err.(problem); ok {
			status = p.status
		} else if err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if status != c.status || (cred != nil) != c.found || cred != nil && (cred.bearer != c.bearer || cred.Wallet != i.wallet) {
			t.Errorf("%s: %+v, problem %d", c.what, cred, status)
		}
		if err != nil && strings.Contains(err.Error(), good[10:]) {
			t.Errorf("%s: the token is in the error", c.what)
		}
	}
}

func TestATokenInTheURLIsRefusedAndTheSitesOwnParametersAreNot(t *testing.T) {
	i := newIssuer(t)
	other := newIssuer(t)
	for query, refused := range map[string]bool{
		"":                              false,
		"token=" + i.token(0):           true,
		"a=1&b=" + i.token(0) + "&c=2":  true,
		"token=" + i.token(2*time.Hour): true, // expired, and leaked all the same
		"token=" + other.token(0):       false,
		"token=eyJhbGciOiJIUzI1NiJ9":    false,
		"q=eyJ" + strings.Repeat("x", 2*wallet.MaxToken): false,
		"eyJ;%zz": false,
	} {
		r := requestOf("GET", "/")
		r.URL.RawQuery = query
		_, err := i.credentialOf(i.keys, r)
		if (err != nil) != refused {
			t.Errorf("%.60q: %v", query, err)
		}
	}
}

func TestTheUpstreamSeesItsOwnHeadersAndNoneOfOurs(t *testing.T) {
	for _, c := range []struct {
		what                string
		bearer              bool
		authorization, want string
		cookie, kept        []string
	}{
		{"our token", true, "Bearer t", "", nil, nil},
		{"the site's password", false, "Basic dTpw", "Basic dTpw", nil, nil},
		{"one of three cookies", false, "", "", []string{"a=1; paywall=t; b=2"}, []string{"a=1; b=2"}},
		{"all of ours", false, "", "", []string{"paywall=t; __Host-paywall=t; paywall-recovery=c; __Host-paywall-notice=n"}, nil},
		{"two lines", false, "", "", []string{"a=1; paywall=t", " paywall-notice=n;b=2 "}, []string{"a=1; b=2"}},
		{"a cookie with a name like ours", false, "", "", []string{"paywall2=x; mypaywall=y"}, []string{"paywall2=x; mypaywall=y"}},
		{"odd spelling", false, "", "", []string{";; paywall =t;\tpaywall=t;a==b"}, []string{"a==b"}},
	} {
		h := http.Header{"Paywall-Wallet": {"forged"}, "Accept": {"x"}}
		if c.authorization != "" {
			h.Set("Authorization", c.authorization)
		}
		if c.cookie != nil {
			h["Cookie"] = c.cookie
		}
		strip(h, &credential{bearer: c.bearer})
		if got := h.Get("Authorization"); got != c.want {
			t.Errorf("%s: Authorization %q, want %q", c.what, got, c.want)
		}
		if got := strings.Join(h.Values("Cookie"), "|"); got != strings.Join(c.kept, "|") {
			t.Errorf("%s: Cookie %q, want %q", c.what, got, c.kept)
		}
		if h.Get("Paywall-Wallet") != "" || h.Get("Accept") != "x" {
			t.Errorf("%s: %v", c.what, h)
		}
	}
}

// FuzzStrip: whatever else a request says, no cookie of ours and no token of
// ours is left for the upstream, which could spend with it.
func FuzzStrip(f *testing.F) {
	f.Add("a=1; paywall=t", "", "Bearer t")
	f.Add(";;paywall=\x00", "__Host-paywall-recovery", "bearer  t")
	f.Add("a=\"; paywall=t\"", " paywall\t=x", "Basic x")
	f.Fuzz(func(t *testing.T, first, second, authorization string) {
		h := http.Header{"Cookie": {first, second}, "Authorization": {authorization}}
		token, err := bearerToken(h)
		strip(h, &credential{bearer: err == nil && token != ""})
		for _, cookie := range (&http.Request{Header: h}).Cookies() {
			if ownCookie(cookie.Name) {
				t.Fatalf("%q, %q leave the cookie %s", first, second, cookie.Name)
			}
		}
		for _, name := range [...]string{tokenCookie, recoveryCookie, noticeCookie} {
			for _, prefix := range [...]string{"", hostPrefix} {
				if left := (&http.Request{Header: h}).CookiesNamed(prefix + name); len(left) > 0 {
					t.Fatalf("%q, %q leave the cookie %v", first, second, left)
				}
			}
		}
		if left, err := bearerToken(h); err == nil && left != "" {
			t.Fatalf("%q leaves a token", authorization)
		}
	})
}
