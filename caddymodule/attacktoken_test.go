package caddymodule

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ring is the keyring of the running site, as its file has it.
func (s *site) ring() *wallet.Keyring {
	s.Helper()
	ring, err := wallet.ParseKeyring(s.kept(keyringFile), tokenAudience, time.Duration(defaultTokenLifetime))
	if err != nil {
		s.Fatal(err)
	}
	return ring
}

func (v *visitor) token() string { return strings.TrimPrefix(v.header.Get("Authorization"), "Bearer ") }

// segments puts a header and claims together without a signature.
func segments(header, claims string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
}

// The attack: any text that looks like a token opens the wallet it names.
func TestAttackTokenThatThisPaywallDidNotSign(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	parts := strings.Split(m.token(), ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	public := publicKeyOf(t, s)
	hmacked, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "caddy-paywall", "aud": "paywall", "sub": m.id(), "gen": 1,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(public)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := wallet.NewKeyring(tokenAudience, time.Hour, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for attack, token := range map[string]string{
		"malformed":                   "x",
		"of three empty parts":        "..",
		"cut short":                   m.token()[:len(m.token())-2],
		"with another signature":      parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86),
		"with the algorithm none":     segments(`{"alg":"none","typ":"JWT"}`, string(claims)) + ".",
		"signed with the public key":  hmacked,
		"of another paywall's keys":   mintFor(t, stranger, m.id(), 1, time.Now()),
		"that has expired":            mintFor(t, s.ring(), m.id(), 1, time.Now().Add(-2*time.Hour)),
		"of a generation to come":     mintFor(t, s.ring(), m.id(), 2, time.Now()),
		"of a wallet that is not":     mintFor(t, s.ring(), "00000000-0000-4000-8000-000000000001", 1, time.Now()),
		"of more than 2048 bytes":     m.token() + strings.Repeat("A", wallet.MaxToken),
		"of 8 kilobytes":              strings.Repeat("eyJ.", 2<<10),
		"with a line break's escape":  m.token() + "%0a",
		"with a second token behind":  m.token() + "," + m.token(),
		"with a second token in line": m.token() + " " + m.token(),
	} {
		forged := s.stranger().with("Authorization", "Bearer "+token)
		for _, path := range []string{"/articles/1", "/.paywall/wallet"} {
			forged.get(path).wants(http.StatusUnauthorized).saysNot("SECRET", "balance").
				wantsHeader("WWW-Authenticate", `Bearer realm="paywall", error="invalid_token"`).
				wantsHeader("Cache-Control", "no-store")
		}
		forged.post("/.paywall/pay", map[string]any{"path": "/articles/1"}).wants(http.StatusUnauthorized)
		cookie := s.stranger().with("Cookie", "paywall="+url.QueryEscape(token))
		if page := cookie.get("/articles/1"); page.StatusCode != http.StatusPaymentRequired {
			t.Errorf("a token %s as a cookie: %d", attack, page.StatusCode)
		}
	}
	m.wantsBalance("1.00")
}

// publicKeyOf is the site's public key, which anybody can fetch.
func publicKeyOf(t *testing.T, s *site) []byte {
	t.Helper()
	var set struct{ Keys []struct{ X string } }
	s.decode([]byte(s.stranger().get("/.paywall/jwks.json").body), &set)
	public, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func mintFor(t *testing.T, ring *wallet.Keyring, id string, generation uint32, issued time.Time) string {
	t.Helper()
	named, err := wallet.ParseWalletID(id)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ring.Mint(wallet.Claims{Wallet: named, Generation: generation, Issued: issued, Expires: issued.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The attack: of two credentials the paywall charges one and the upstream
// believes the other.
func TestAttackSeveralCredentials(t *testing.T) {
	s := startSite(t, magazine)
	m, other := s.machine("1.00"), s.machine("1.00")
	for _, values := range [][]string{
		{"Bearer " + m.token(), "Bearer " + other.token()},
		{"Basic dTpw", "Bearer " + m.token()},
		{"Bearer " + m.token(), ""},
	} {
		several := *m
		several.header = m.header.Clone()
		several.header["Authorization"] = values
		several.get("/articles/1").wants(http.StatusBadRequest).saysNot("SECRET")
	}
	reader := s.stranger().with("Cookie", "paywall="+m.token()+"; paywall="+other.token())
	reader.get("/articles/1").wants(http.StatusBadRequest).saysNot("SECRET")
	reader.get("/.paywall/wallet").wants(http.StatusBadRequest)
	m.wantsBalance("1.00")
	other.wantsBalance("1.00")
}

// The attack: a token in a URL is in every log, bookmark and Referer.
func TestAttackTokenInTheQuery(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	for _, path := range []string{"/articles/1?token=", "/articles/1?a=b&access_token=", "/.paywall/wallet?t="} {
		s.stranger().get(path+m.token()).wants(http.StatusBadRequest).says("leaked").saysNot("SECRET", m.token())
		m.get(path + m.token()).wants(http.StatusBadRequest)
	}
	m.wantsBalance("1.00")
}

// The attack: a token that may spend little makes itself one that may spend all.
func TestAttackLimitedTokenThatWantsMore(t *testing.T) {
	s := startSite(t, magazine)
	limited := s.limited("1.00", "0.10")
	limited.post("/.paywall/wallet/recovery", nil).wants(http.StatusForbidden).saysNot("recovery_code")
	limited.post("/.paywall/wallet/recovery", map[string]any{"max_price": "100"}).wants(http.StatusForbidden)
	made := limited.post("/.paywall/wallets", map[string]any{"max_price": "100"}).wants(http.StatusCreated)
	if strings.Contains(made.body, limited.id()) {
		t.Errorf("it gets a token of its own wallet: %s", made.body)
	}
	limited.wantsBalance("1.00")
}

// The attack: a stolen token goes on spending after its owner has signed it
// out (invariant 8).
func TestAttackRevokedToken(t *testing.T) {
	s := startSite(t, magazine)
	v := s.stranger()
	var made, fresh madeJSON
	s.decode([]byte(v.post("/.paywall/wallets", nil).wants(http.StatusCreated).body), &made)
	thief := v.with("Authorization", "Bearer "+made.Token)
	thief.post("/.paywall/vouchers/redeem", map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK)
	thief.get("/articles/1").wants(http.StatusOK)
	s.decode([]byte(v.post("/.paywall/recover", map[string]any{"code": made.RecoveryCode, "revoke": true}).wants(http.StatusOK).body), &fresh)
	if fresh.RecoveryCode == "" || fresh.RecoveryCode == made.RecoveryCode {
		t.Errorf("the new recovery code is %q", fresh.RecoveryCode)
	}
	for _, path := range []string{"/articles/2", "/articles/1", "/.paywall/wallet"} {
		thief.get(path).wants(http.StatusUnauthorized).saysNot("SECRET", "balance")
	}
	for _, path := range []string{"/.paywall/pay", "/.paywall/wallet/recovery", "/.paywall/vouchers/redeem"} {
		thief.post(path, map[string]any{"path": "/articles/2", "code": s.voucher("1.00")}).wants(http.StatusUnauthorized)
	}
	thief.do(http.MethodPost, "/articles/2", "", "").wants(http.StatusUnauthorized)
	s.stranger().with("Cookie", "paywall="+made.Token).get("/articles/1").wants(http.StatusPaymentRequired).saysNot("SECRET")
	v.post("/.paywall/recover", map[string]any{"code": made.RecoveryCode}).wants(http.StatusUnprocessableEntity)

	owner := v.with("Authorization", "Bearer "+fresh.Token)
	owner.wantsBalance("0.90")
	owner.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
}

// A frozen wallet spends nothing on any way, reads what it has paid for, and
// still receives (invariant 8).
func TestAttackFrozenWallet(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	s.operator("wallet", "freeze", m.id())
	m.get("/articles/2").wants(http.StatusForbidden).saysNot("SECRET")
	m.do(http.MethodPost, "/articles/2", "", "").wants(http.StatusForbidden)
	m.post("/.paywall/pay", map[string]any{"path": "/articles/2"}).wants(http.StatusForbidden)
	m.get("/articles/1").wants(http.StatusOK).says("SECRET").wantsHeader("Paywall-Charged", "")
	m.post("/.paywall/vouchers/redeem", map[string]any{"code": s.voucher("1.00")}).wants(http.StatusOK)
	m.wantsBalance("1.90")
	s.operator("wallet", "freeze", m.id(), "--undo")
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
}

// The attack: a client says for itself what only the paywall or a trusted
// proxy may say.
func TestAttackForgedHeaders(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	forged := s.stranger().with("Paywall-Charged", "0.10 USD").with("Paywall-Balance", "9.00 USD").with("Paywall-Wallet", m.id()).
		with("X-Forwarded-Proto", "https").with("X-Forwarded-For", "192.0.2.1").with("X-Original-Url", "/").with("X-Rewrite-Url", "/")
	forged.get("/articles/1").wants(http.StatusPaymentRequired).wantsHeader("Paywall-Charged", "").wantsHeader("Paywall-Balance", "").saysNot("SECRET")
	reader := forged.with("Accept", "text/html")
	for _, cookie := range reader.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther).Cookies() {
		if cookie.Secure || strings.HasPrefix(cookie.Name, hostPrefix) {
			t.Errorf("a stranger's X-Forwarded-Proto is believed: %v", cookie)
		}
	}
	m.wantsBalance("1.00")
}
