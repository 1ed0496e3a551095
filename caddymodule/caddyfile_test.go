package caddymodule

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// adapted is the JSON of a Caddyfile, as caddy adapt prints it.
func adapted(caddyfile string) (string, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	return string(config), err
}

// compact is JSON without white space, its members in order.
func compact(t *testing.T, text string) string {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

const grammar = `{
	paywall {
		currency       EUR
		ledger         local /srv/paywall
		secret         {env.PAYWALL_SECRET}
		signing_keys   {file./run/new} {file./run/old}
		token_lifetime 90d
		kiosks {
			product coffee 1.20 "A coffee"
			product gate 0.10
			proof coffee sun
			limit uid 1 5.00
			kiosk night-gate {
				proof sun
				limit sun 2 4
			}
			hold 20s
			show_balance
		}
	}
}
http://a.example {
	paywall /articles/* 0.10 {
		bundle 10 0.90 30d
		window 7d
		title  "The {http.request.uri.path.file}"
		teaser "A few words."
		rule   articles
	}
	paywall /plain 0.05
	@big {
		path *.zip *.iso
		method GET
	}
	paywall @big {
		bundle 3 1
	}
	file_server
}
http://b.example {
	paywall 0.000001
}
http://c.example {
	paywall
}
`

func TestTheWholeGrammarIsAdapted(t *testing.T) {
	got, err := adapted(grammar)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Apps struct {
			Paywall json.RawMessage
			HTTP    struct {
				Servers map[string]struct{ Routes json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal([]byte(got), &config); err != nil {
		t.Fatal(err)
	}
	if app := compact(t, string(config.Apps.Paywall)); app != compact(t, `{
		"currency": "EUR", "ledger": {"engine": "local", "dir": "/srv/paywall"}, "secret": "{env.PAYWALL_SECRET}",
		"signing_keys": ["{file./run/new}", "{file./run/old}"], "token_lifetime": 7776000000000000,
		"kiosks": {
			"products": {"coffee": {"price": "1.20", "title": "A coffee", "proof": "sun"}, "gate": {"price": "0.10"}},
			"limits": {"uid": {"tap": "1", "day": "5.00"}},
			"kiosks": {"night-gate": {"proof": "sun", "limits": {"sun": {"tap": "2", "day": "4"}}}},
			"hold": 20000000000, "guard": 3000000000, "show_balance": true
		}
	}`) {
		t.Errorf("the app is %s", app)
	}
	want := compact(t, `[
		{"match": [{"host": ["a.example"]}], "terminal": true, "handle": [{"handler": "subroute", "routes": [
			{"match": [{"path": ["/articles/*"]}], "handle": [{
				"handler": "paywall", "rule": "articles", "paths": ["/articles/*"], "price": "0.10",
				"bundle": {"visits": 10, "price": "0.90", "validity": 2592000000000000}, "window": 604800000000000,
				"title": "The {http.request.uri.path.file}", "teaser": "A few words."}]},
			{"match": [{"path": ["/plain"]}], "handle": [{
				"handler": "paywall", "rule": "/plain", "paths": ["/plain"], "price": "0.05"}]},
			{"match": [{"path": ["*.zip", "*.iso"], "method": ["GET"]}], "handle": [{
				"handler": "paywall", "rule": "@big", "paths": ["*.zip", "*.iso"], "bundle": {"visits": 3, "price": "1"}}]},
			{"handle": [{"handler": "paywall"}, {"handler": "paywall"}, {"handler": "paywall"},
				{"handler": "file_server", "hide": ["./Caddyfile"]}]}
		]}]},
		{"match": [{"host": ["b.example"]}], "terminal": true, "handle": [{"handler": "subroute", "routes": [
			{"handle": [{"handler": "paywall", "price": "0.000001"}, {"handler": "paywall"}]}
		]}]},
		{"match": [{"host": ["c.example"]}], "terminal": true, "handle": [{"handler": "subroute", "routes": [
			{"handle": [{"handler": "paywall"}]}
		]}]}
	]`)
	if routes := compact(t, string(config.Apps.HTTP.Servers["srv0"].Routes)); routes != want {
		t.Errorf("the routes are\n%s\nwant\n%s", routes, want)
	}
}

// A wrong line is named with its file and number, and the error says what to
// write.
func TestEveryWrongUseIsRefusedWithItsLineAndItsCure(t *testing.T) {
	site := func(lines string) string { return "http://a.example {\n" + lines + "\n}" }
	option := func(lines string) string { return "{\npaywall {\n" + lines + "\n}\n}\n" + site("paywall /a 0.10") }
	for _, c := range []struct {
		caddyfile, line, cure string
	}{
		{site("paywall /a"), ":2", "write paywall /a 0.10"},
		{site("paywall /a {\nwindow 1h\n}"), ":", "write paywall /a 0.10"},
		{site("paywall /a 0.10 0.20"), ":2", `remove "0.20"`},
		{site("paywall 0.10 /a"), ":2", `remove "/a"`},
		{site("paywall /a 0.0000001"), ":2", "finer than a millionth"},
		{site("paywall /a -1"), ":2", "write digits with at most one point"},
		{site("paywall /a 0"), ":2", "not above zero"},
		{site("paywall /a 1e3"), ":2", "write digits with at most one point"},
		{site("paywall /a 0,10"), ":2", "write digits with at most one point"},
		{site("paywall /a $0.10"), ":2", "write digits with at most one point"},
		{site("paywall /a 9999999999"), ":2", "is above"},
		{site("paywall /a " + strings.Repeat("1", 99)), ":2", "longer than"},
		{site("paywall @none 0.10"), "", "unrecognized matcher name: @none"}, // Caddy's own words
		{site("paywall /a 0.10 {\nprice 5\n}"), ":3", "it has bundle, window, title, teaser and rule"},
		{site("paywall /a 0.10 {\nwindow 1h\nwindow 2h\n}"), ":4", "keep one"},
		{site("paywall /a 0.10 {\nwindow\n}"), ":3", "such as 24h or 7d"},
		{site("paywall /a 0.10 {\nwindow soon\n}"), ":3", "such as 24h or 7d"},
		{site("paywall /a 0.10 {\nwindow 0s\n}"), ":3", "such as 24h or 7d"},
		{site("paywall /a 0.10 {\nwindow -1h\n}"), ":3", "such as 24h or 7d"},
		{site("paywall /a 0.10 {\nwindow 1h 2h\n}"), ":3", `remove "2h"`},
		{site("paywall /a 0.10 {\ntitle\n}"), ":3", "title needs a text"},
		{site("paywall /a 0.10 {\ntitle \"\"\n}"), ":3", "title needs a text"},
		{site("paywall /a 0.10 {\ntitle Two words\n}"), ":3", "put quotes around a text with spaces"},
		{site("paywall /a 0.10 {\nteaser\n}"), ":3", "teaser needs a text"},
		{site("paywall /a 0.10 {\nrule a b\n}"), ":3", `remove "b"`},
		{site("paywall /a {\nbundle\n}"), ":3", "bundle 10 10.00 [90d]"},
		{site("paywall /a {\nbundle 10\n}"), ":3", "bundle 10 10.00 [90d]"},
		{site("paywall /a {\nbundle ten 10.00\n}"), ":3", "then the price: bundle 10 10.00"},
		{site("paywall /a {\nbundle 0 10.00\n}"), ":3", "write 1 to 1000000"},
		{site("paywall /a {\nbundle 1000001 10.00\n}"), ":3", "write 1 to 1000000"},
		{site("paywall /a {\nbundle -1 10.00\n}"), ":3", "write 1 to 1000000"},
		{site("paywall /a {\nbundle 10 0\n}"), ":3", "not above zero"},
		{site("paywall /a {\nbundle 10 10.00 long\n}"), ":3", "such as 24h or 7d"},
		{site("paywall /a {\nbundle 10 10.00 90d 1\n}"), ":3", `remove "1"`},
		{option("colour red"), ":3", "it has currency, ledger, secret, signing_keys, token_lifetime, unpaid_limit and kiosks"},
		{option("kiosks on"), ":3", `remove "on"`},
		{option("kiosks {\nproduct coffee\n}"), ":4", "product <name> <price>"},
		{option("kiosks {\nproduct coffee 1.20 A coffee\n}"), ":4", "product <name> <price>"},
		{option("kiosks {\nproduct Coffee 1.20\n}"), ":", "lower-case letters"},
		{option("kiosks {\nproduct coffee 0\n}"), ":", "above zero"},
		{option("kiosks {\nproduct coffee cheap\n}"), ":", "product coffee"},
		{option("kiosks {\nproduct coffee 1\nproduct coffee 2\n}"), ":5", "keep one"},
		{option("kiosks {\nlimit gold 1 2\n}"), ":", "it is for uid, sun"},
		{option("kiosks {\nlimit uid 1 2\nlimit uid 1 2\n}"), ":5", "keep one"},
		{option("kiosks {\nproduct coffee 1\nproof coffee gold\n}"), ":", `proof "gold": it is uid, sun`},
		{option("kiosks {\nproof coffee sun\n}"), ":", "a product that there is not"},
		{option("kiosks {\nproduct coffee 1\nproof coffee sun\nproof coffee uid\n}"), ":6", "keep one"},
		{option("kiosks {\nproduct gate 1\nopens gate /a/* 1s\n}"), ":", "product gate opens: 1s, must be a minute to 24 hours"},
		{option("kiosks {\nproduct gate 1\nopens gate /a/* 25h\n}"), ":", "to 24 hours"},
		{option("kiosks {\nproduct gate 1\nopens gate a/* 1h\n}"), ":", "such as /articles/*"},
		{option("kiosks {\nproduct gate 1\nopens gate /a/* 1h https://a.example\n}"), ":", "the start must be a path"},
		{option("kiosks {\nopens gate /a/* 1h\n}"), ":", "a product that there is not"},
		{option("kiosks {\nproduct gate 1\nopens gate /a/* 1h\nopens gate /b/* 1h\n}"), ":6", "keep one"},
		{option("kiosks {\nkiosk Lobby {\nproof sun\n}\n}"), ":", "lower-case letters"},
		{option("kiosks {\nkiosk lobby {\nproof gold\n}\n}"), ":", `kiosk lobby: proof "gold"`},
		{option("kiosks {\nkiosk lobby {\nproof sun\nproof uid\n}\n}"), ":6", "one proof"},
		{option("kiosks {\nkiosk lobby {\nlimit uid 2 1\n}\n}"), ":", "kiosk lobby: limit uid"},
		{option("kiosks {\nkiosk lobby {\nlimit uid 1 2\nlimit uid 1 2\n}\n}"), ":6", "keep one"},
		{option("kiosks {\nkiosk lobby {\n}\nkiosk lobby {\n}\n}"), ":", "keep one"},
		{option("kiosks {\nlimit uid 2 1\n}"), ":", "at least as much"},
		{option("kiosks {\nlimit uid 1\n}"), ":4", "limit <tier>"},
		{option("kiosks {\nhold 1h\n}"), ":", "a second to"},
		{option("kiosks {\nguard 2h\n}"), ":", "at most"},
		{option("kiosks {\ncolour red\n}"), ":4", "hold and guard"},
		{option("currency"), ":3", "currency needs a text"},
		{option("currency usd"), ":3", "such as USD or EUR"},
		{option("currency XXX"), ":3", "such as USD or EUR"},
		{option("currency USD EUR"), ":3", `remove "EUR"`},
		{option("currency USD\ncurrency EUR"), ":4", "keep one"},
		{option("ledger"), ":3", "ledger needs a text"},
		{option("ledger paper"), ":3", "paper"},
		{option("ledger local /a /b"), ":3", `remove "/b"`},
		{option("ledger local {\ndir /a\n}"), ":4", "no options"},
		{option("secret"), ":3", "secret needs a text"},
		{option("secret a b"), ":3", `remove "b"`},
		{option("signing_keys"), ":3", "at least one key"},
		{option("token_lifetime"), ":3", "such as 24h or 7d"},
		{option("token_lifetime long"), ":3", "such as 24h or 7d"},
		{"{\npaywall\npaywall\n}\n" + site("paywall /a 0.10"), ":3", "keep one"},
		{"{\npaywall on\n}\n" + site("paywall /a 0.10"), ":2", `remove "on"`},
	} {
		_, err := adapted(c.caddyfile)
		if err == nil || c.line != "" && !strings.Contains(err.Error(), "Caddyfile"+c.line) || !strings.Contains(err.Error(), c.cure) {
			t.Errorf("%s\n  says %v\n  want Caddyfile%s and %q", c.caddyfile, err, c.line, c.cure)
		}
	}
}

// What only the JSON can say, or what only provisioning can know.
func TestEveryWrongConfigurationIsRefusedWithItsCure(t *testing.T) {
	handler := func(fields string) string {
		return `{"apps": {"http": {"servers": {"s": {"listen": ["127.0.0.1:1"], "routes": [{"handle": [{"handler": "paywall", ` + fields + `}]}]}}}}}`
	}
	app := func(fields string) string { return `{"apps": {"paywall": {` + fields + `}}}` }
	quiet := `{"logging": {"logs": {"default": {"level": "PANIC"}}}, "admin": {"disabled": true}, `
	for _, c := range []struct{ config, cure string }{
		{handler(`"price": "0.10", "colour": "red"`), "colour"},
		{handler(`"price": 0.10`), "price"},
		{handler(`"price": "-1"`), "write digits"},
		{handler(`"price": "0.0000001"`), "finer than a millionth"},
		{handler(`"bundle": {"visits": 10}`), "bundle price"},
		{handler(`"bundle": {"visits": 0, "price": "1"}`), "must be 1 to 1000000"},
		{handler(`"bundle": {"visits": 1, "price": "1", "validity": -1}`), "validity"},
		{handler(`"price": "1", "window": "401d"`), "window"},
		{handler(`"price": "1", "window": 1`), "window"},
		{handler(`"price": "1", "rule": "` + strings.Repeat("x", 129) + `"`), "name"},
		{app(`"colour": "red"`), "colour"},
		{app(`"currency": "usd"`), "such as USD or EUR"},
		{app(`"currency": "EURO"`), "such as USD or EUR"},
		{app(`"ledger": {"engine": "paper"}`), "paper"},
		{app(`"ledger": {"dir": "/a"}`), "engine"},
		{app(`"ledger": {"engine": "local", "colour": "red"}`), "colour"},
		{app(`"ledger": {"engine": "local", "dir": "{env.PAYWALL_TEST_UNSET}"}`), "dir"},
		{app(`"token_lifetime": "59m"`), "token_lifetime"},
		{app(`"token_lifetime": "401d"`), "token_lifetime"},
	} {
		var parsed caddy.Config
		if err := json.Unmarshal([]byte(quiet+c.config[1:]), &parsed); err != nil {
			t.Fatalf("%v in %s", err, c.config)
		}
		if err := caddy.Validate(&parsed); err == nil || !strings.Contains(err.Error(), c.cure) {
			t.Errorf("%s\n  says %v, want %q", c.config, err, c.cure)
		}
	}
}

// A visit bought under one price must not be good for another.
func TestTwoPricesOfOneNameThatSellDifferentBundlesAreRefused(t *testing.T) {
	for lines, refused := range map[string]bool{
		"paywall /a 0.10 {\nrule x\nbundle 10 1\n}\npaywall /b 0.10 {\nrule x\nbundle 10 2\n}": true,
		"paywall /a 0.10 {\nrule x\nbundle 10 1\n}\npaywall /b 0.20 {\nrule x\n}":              true,
		"paywall /a 0.10 {\nrule x\nbundle 10 1\n}\npaywall /b 0.20 {\nrule x\nbundle 10 1\n}": false,
		"paywall /a 0.10 {\nrule x\n}\npaywall /b 0.20 {\nrule x\n}":                           false,
	} {
		config, err := adapt("{\nadmin off\n}\nhttp://127.0.0.1:1 {\n" + lines + "\n}")
		if err != nil {
			t.Fatal(err)
		}
		var parsed caddy.Config
		if err := json.Unmarshal(config, &parsed); err != nil {
			t.Fatal(err)
		}
		if err := caddy.Validate(&parsed); (err != nil) != refused || refused && !strings.Contains(err.Error(), "rule <name>") {
			t.Errorf("%s\n  says %v", lines, err)
		}
	}
}

// Validation runs beside a server that holds the ledger.
func TestValidatingTouchesNoFileAndNoLedger(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir()+"/never-made")
	config, err := adapt("{\nadmin off\n}\nhttp://127.0.0.1:1 {\n" + magazine + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	var parsed caddy.Config
	if err := json.Unmarshal(config, &parsed); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&parsed); err != nil {
		t.Fatal(err)
	}
	if n := openLedgers(); n != 0 {
		t.Errorf("%d ledgers are open", n)
	}
	if exists(dataPath("")) {
		t.Error("the data directory has been made")
	}
}
