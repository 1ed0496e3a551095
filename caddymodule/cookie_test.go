package caddymodule

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// behindProxy is a request that came through a proxy which the operator trusts
// or not.
func behindProxy(trusted bool, proto string) *http.Request {
	r := requestOf("GET", "/", "X-Forwarded-Proto", proto)
	vars := map[string]any{caddyhttp.TrustedProxyVarKey: trusted}
	return r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, vars))
}

// An untrusted X-Forwarded-Proto must not choose which cookie is read: anybody
// can send it.
func TestOnlyTLSOrATrustedProxyIsSecure(t *testing.T) {
	overTLS := requestOf("GET", "/")
	overTLS.TLS = &tls.ConnectionState{HandshakeComplete: true}
	for _, c := range []struct {
		what string
		r    *http.Request
		name string
	}{
		{"plain", requestOf("GET", "/"), "paywall"},
		{"TLS", overTLS, "__Host-paywall"},
		{"a trusted proxy with TLS", behindProxy(true, "https"), "__Host-paywall"},
		{"a trusted proxy without", behindProxy(true, "http"), "paywall"},
		{"a stranger who says https", behindProxy(false, "https"), "paywall"},
		{"https said in another case", behindProxy(true, "HTTPS"), "paywall"},
	} {
		if got := cookieName(c.r, tokenCookie); got != c.name {
			t.Errorf("%s: the cookie is %s, want %s", c.what, got, c.name)
		}
		w := httptest.NewRecorder()
		setToken(w, c.r, "t", time.Hour)
		cookie := w.Result().Cookies()[0]
		if secured := c.name != "paywall"; cookie.Secure != secured || !cookie.HttpOnly ||
			cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 3600 {
			t.Errorf("%s: %v", c.what, cookie)
		}
	}
}

func TestAPassingCookieIsTakenOnce(t *testing.T) {
	r := requestOf("GET", "/", "Cookie", "paywall-notice="+page.Redeemed)
	w := httptest.NewRecorder()
	if notice := takeNotice(w, r); notice == nil || notice.Key != page.Redeemed || notice.Error {
		t.Errorf("the notice is %+v", notice)
	}
	if cookies := w.Result().Cookies(); len(cookies) != 1 || cookies[0].MaxAge != -1 || cookies[0].Value != "" {
		t.Errorf("it is deleted by %v", cookies)
	}
}

// A cookie is whatever somebody wrote into it; the page shows only our words.
func TestANoticeOrRecoveryCodeThatIsNotOursIsNotShown(t *testing.T) {
	for _, value := range []string{"", "x", "<script>", "redeemed2", "__proto__"} {
		if notice := takeNotice(httptest.NewRecorder(), requestOf("GET", "/", "Cookie", "paywall-notice="+value)); notice != nil {
			t.Errorf("%q shows %+v", value, notice)
		}
		if code := takeRecovery(httptest.NewRecorder(), requestOf("GET", "/", "Cookie", "paywall-recovery="+value)); code != "" {
			t.Errorf("%q shows %q", value, code)
		}
	}
	code := takeRecovery(httptest.NewRecorder(), requestOf("GET", "/", "Cookie", "paywall-recovery=0000-0000-0000-0000-0000"))
	if code != "0000-0000-0000-0000-0000" {
		t.Errorf("a recovery code is shown as %q", code)
	}
}

func TestEveryNoticeSaysWhetherItIsAnErrorAndWhichFieldItIsAbout(t *testing.T) {
	for key, want := range map[string]page.Notice{
		page.Redeemed:          {Key: page.Redeemed},
		page.PaidAlready:       {Key: page.PaidAlready},
		page.VoucherUsed:       {Key: page.VoucherUsed, Error: true, Field: page.FieldVoucher},
		page.RecoveryMalformed: {Key: page.RecoveryMalformed, Error: true, Field: page.FieldRecovery},
		page.QuoteExpired:      {Key: page.QuoteExpired, Error: true},
	} {
		got := takeNotice(httptest.NewRecorder(), requestOf("GET", "/", "Cookie", "paywall-notice="+key))
		if got == nil || *got != want {
			t.Errorf("%s is %+v, want %+v", key, got, want)
		}
	}
}
