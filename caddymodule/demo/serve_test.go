package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyfs"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/map"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/templates"
)

const prices = `{"currency":"USD","rules":[` +
	`{"rule":"/articles/*","paths":["/articles/*"],"window":"24h","offers":[{"offer":"view","price":"0.10"}]},` +
	`{"rule":"/research/*","paths":["/research/*"],"offers":[{"offer":"bundle-10","visits":10,"price":"10.00"}]}]}`

// site runs a Caddy that serves the magazine the way Caddyfile.example does,
// with its own prices and visits in the paywall's place. Caddy's configuration
// is one for the whole process, and so these tests do not run in parallel. It
// listens on a socket, which no other test can take.
func site(t *testing.T, prices, visits string) *http.Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	config := fmt.Sprintf(`
		{
			admin off
			persist_config off
			auto_https off
			log {
				output discard
			}
			filesystem magazine paywall_demo
		}
		http:// {
			bind unix/%s
			map {path} {http.paywall.visits} {
				default %q
			}
			respond /.paywall/prices <<PRICES
				%s
				PRICES 200
			fs magazine
			try_files {path} {path}.html
			templates
			file_server
		}`, socket, visits, prices)
	adapter := caddyfile.Adapter{ServerType: httpcaddyfile.ServerType{}}
	adapted, _, err := adapter.Adapt([]byte(config), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(adapted, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func get(t *testing.T, client *http.Client, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://magazine.test"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestTheFrontPageShowsThePricesOfTheSite(t *testing.T) {
	_, front := get(t, site(t, prices, ""), "/")
	if !strings.HasPrefix(front, "<!doctype html>") || strings.Contains(front, "{{") {
		t.Errorf("not rendered: %.80q", front)
	}
	if got := strings.Count(front, `<p class="price">$0.10</p>`); got != 3 {
		t.Errorf("%d articles show their price, want 3", got)
	}
	if !strings.Contains(front, `<p class="price">10 visits for $10.00</p>`) {
		t.Error("the letters do not show what their visits cost")
	}
}

func TestTheFrontPageFollowsTheCurrency(t *testing.T) {
	_, front := get(t, site(t, strings.ReplaceAll(prices, "USD", "CHF"), ""), "/")
	if !strings.Contains(front, `<p class="price">CHF 0.10</p>`) {
		t.Error("no price in CHF")
	}
}

func TestTheFrontPageIsReadableWithoutPrices(t *testing.T) {
	for _, none := range []string{`{"currency":"USD","rules":[]}`, `{}`, `null`, `not JSON`} {
		response, front := get(t, site(t, none, ""), "/")
		if response.StatusCode != http.StatusOK || strings.Count(front, "You see its price before you pay.") != 3 {
			t.Errorf("with %s: status %d", none, response.StatusCode)
		}
	}
}

func TestALetterSaysHowManyVisitsAreLeft(t *testing.T) {
	for visits, want := range map[string]string{
		"9": "9 of your visits are left.", "1": "One of your visits is left.", "0": "That was the last of your visits.",
		"": "", "<b>many</b>": "",
	} {
		client := site(t, prices, visits)
		for _, letter := range []string{"/research/1", "/research/2"} {
			_, text := get(t, client, letter)
			if want != "" && !strings.Contains(text, `<p class="visits">`+want+"</p>") {
				t.Errorf("%s with %q visits does not say %q", letter, visits, want)
			}
			if want == "" && strings.Contains(text, `class="visits"`) || strings.Contains(text, "{{") {
				t.Errorf("%s with %q visits says something about them", letter, visits)
			}
		}
	}
}

func TestFilesHaveValidatorsAndRanges(t *testing.T) {
	client := site(t, prices, "")
	whole, style := get(t, client, "/style.css")
	etag := whole.Header.Get("Etag")
	if etag == "" || whole.Header.Get("Last-Modified") == "" || len(style) < 1000 {
		t.Fatalf("ETag %q, Last-Modified %q, %d bytes", etag, whole.Header.Get("Last-Modified"), len(style))
	}
	if again, _ := get(t, client, "/style.css", "If-None-Match", etag); again.StatusCode != http.StatusNotModified {
		t.Errorf("a second look is %d, want 304", again.StatusCode)
	}
	part, text := get(t, client, "/images/map.svg", "Range", "bytes=0-3")
	if part.StatusCode != http.StatusPartialContent || text != "<svg" {
		t.Errorf("a range is %d, %q", part.StatusCode, text)
	}
	if missing, _ := get(t, client, "/articles/4"); missing.StatusCode != http.StatusNotFound {
		t.Errorf("a missing page is %d", missing.StatusCode)
	}
}

func TestTheFileSystemTakesNoOptions(t *testing.T) {
	for _, wrong := range []string{"paywall_demo extra", "paywall_demo {\n\tx\n}"} {
		if err := (Magazine{}).UnmarshalCaddyfile(caddyfile.NewTestDispenser(wrong)); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
	if err := (Magazine{}).UnmarshalCaddyfile(caddyfile.NewTestDispenser("paywall_demo")); err != nil {
		t.Error(err)
	}
}
