package caddymodule

import (
	"encoding/json"
	"strings"
	"testing"
)

// redisOption is the global option paywall with a ledger on Redis.
func redisOption(lines string) string { return "paywall {\nledger redis {\n" + lines + "\n}\n}" }

// redisCaddyfile is a Caddyfile with a ledger on Redis, whose lines begin at line 4.
func redisCaddyfile(lines string) string {
	return "{\n" + redisOption(lines) + "\n}\nhttp://a.example {\npaywall /a 0.10\n}"
}

func TestEveryOptionOfARedisLedgerIsAdapted(t *testing.T) {
	for lines, want := range map[string]string{
		"url {env.REDIS_URL}": `{"url": "{env.REDIS_URL}"}`,
		"address redis.internal:6379\nusername paywall\npassword {env.REDIS_PASSWORD}\ndb 3": `{
			"addresses": ["redis.internal:6379"], "username": "paywall", "password": "{env.REDIS_PASSWORD}", "db": 3}`,
		"address /run/redis.sock": `{"addresses": ["/run/redis.sock"]}`,
		"url rediss://a\ntls":     `{"url": "rediss://a", "tls": {}}`,
		"address a:1\ntls {\nca /ca.pem\ncert /cert.pem\nkey {env.KEY}\nserver_name redis.example\n}\nname x": `{
			"addresses": ["a:1"], "tls": {"ca": "/ca.pem", "cert": "/cert.pem", "key": "{env.KEY}", "server_name": "redis.example"}, "name": "x"}`,
		"address a:1 b:2 c:3\nsentinel mymaster\nname x": `{
			"addresses": ["a:1", "b:2", "c:3"], "sentinel": {"master": "mymaster"}, "name": "x"}`,
		"address a:1\nsentinel mymaster {\nusername u\npassword {file./run/secrets/p}\n}\nusername v": `{
			"addresses": ["a:1"], "sentinel": {"master": "mymaster", "username": "u", "password": "{file./run/secrets/p}"}, "username": "v"}`,
		"address a:1 b:1\ncluster\nname x\nshards 64\ndurability strict\nassume_durable\ntimeout 1500ms\narchive /srv/archive\nkeep 7d": `{
			"addresses": ["a:1", "b:1"], "cluster": true, "name": "x", "shards": 64, "durability": "strict", "assume_durable": true,
			"timeout": 1500000000, "archive": "/srv/archive", "keep": 604800000000000}`,
	} {
		got, err := adapted(redisCaddyfile(lines))
		if err != nil {
			t.Errorf("%s\n  says %v", lines, err)
			continue
		}
		var config struct {
			Apps struct {
				Paywall struct{ Ledger json.RawMessage }
			}
		}
		if err := json.Unmarshal([]byte(got), &config); err != nil {
			t.Fatal(err)
		}
		want = compact(t, `{"engine": "redis", `+strings.TrimPrefix(want, "{"))
		if ledger := compact(t, string(config.Apps.Paywall.Ledger)); ledger != want {
			t.Errorf("%s\n  is  %s\n  not %s", lines, ledger, want)
		}
	}
}

// The lines after the ledger belong to the global option again.
func TestARedisLedgerEndsWithItsBlock(t *testing.T) {
	got, err := adapted("{\npaywall {\nledger redis {\naddress a:1\n}\ncurrency EUR\n}\n}\nhttp://a.example {\npaywall /a 0.10\n}")
	if err != nil || !strings.Contains(got, `"currency":"EUR"`) {
		t.Errorf("it is %s, %v", got, err)
	}
}

func TestEveryWrongUseOfARedisLedgerIsRefusedWithItsLineAndItsCure(t *testing.T) {
	const first, second, third = ":4", ":5", ":6"
	const server = "address a:1\n"
	for _, c := range []struct{ lines, line, cure string }{
		{"", ":3", "write url redis://host:port, or address host:port"},
		{"cluster", "", "write url redis://host:port, or address host:port"},
		{"colour red", first, "it has url, address, username, password, db, tls, sentinel, cluster, name, shards, durability, assume_durable, timeout, archive and keep"},
		{server + server, second, "keep one"},
		{server + "cluster\ncluster", third, "keep one"},
		{"url", first, "url needs a text"},
		{`url ""`, first, "url needs a text"},
		{"url redis://a redis://b", first, "url has an argument too many"},
		{"address", first, "address needs the server's host:port"},
		{server + "username", second, "username needs a text"},
		{server + "username a b", second, "username has an argument too many"},
		{server + "password", second, "password needs a text"},
		{server + "password two words", second, "put quotes around a text with spaces"},
		{server + "db", second, "db needs a number"},
		{server + "db x", second, `"x" is no number of db`},
		{server + "db -1", second, `"-1" is no number of db`},
		{server + "tls on", second, "tls has an argument too many"},
		{server + "tls {\ninsecure\n}", third, "it has ca, cert, key and server_name"},
		{server + "tls {\nca\n}", third, "ca needs a text"},
		{server + "tls {\nca a\nca b\n}", ":7", "keep one"},
		{server + "tls {\ncert a b\n}", third, "cert has an argument too many"},
		{server + "sentinel", second, "write sentinel mymaster"},
		{server + "sentinel a b", second, "sentinel has an argument too many"},
		{server + "sentinel {\nusername a\n}", second, ""},
		{server + "sentinel a {\nmaster b\n}", third, "it has username and password"},
		{server + "sentinel a {\npassword\n}", third, "password needs a text"},
		{server + "cluster yes", second, "cluster has an argument too many"},
		{server + "cluster {\na\n}", "", "cluster has no options"},
		{server + "name", second, "name needs a text"},
		{server + "shards", second, "shards needs a number, 1 to 4096"},
		{server + "shards 0", second, "write 1 to 4096"},
		{server + "shards 4097", second, "write 1 to 4096"},
		{server + "durability", second, "strict, durable or fast"},
		{server + "durability safe", second, "must be strict, durable or fast"},
		{server + "assume_durable yes", second, "assume_durable has an argument too many"},
		{server + "timeout", second, "timeout needs a duration"},
		{server + "timeout 1", second, "write a number with a unit"},
		{server + "timeout -1s", second, "write a number with a unit"},
		{server + "archive", second, "archive needs a text"},
		{server + "archive /a {\nb\n}", "", "archive has no options"},
		{server + "keep long", second, "write a number with a unit"},
	} {
		_, err := adapted(redisCaddyfile(c.lines))
		if err == nil || !strings.Contains(err.Error(), "Caddyfile"+c.line) || !strings.Contains(err.Error(), c.cure) {
			t.Errorf("%s\n  says %v\n  want Caddyfile%s and %q", c.lines, err, c.line, c.cure)
		}
	}
	for _, line := range []string{"ledger redis redis://a", "ledger redis"} {
		if _, err := adapted("{\npaywall {\n" + line + "\n}\n}\nhttp://a.example {\npaywall /a 0.10\n}"); err == nil || !strings.Contains(err.Error(), "redis://host:port") {
			t.Errorf("%s says %v", line, err)
		}
	}
}

// A Caddyfile is read without looking at anything outside of it.
func TestReadingARedisLedgerTouchesNothing(t *testing.T) {
	lines := "address nowhere.invalid:1\npassword {env.PAYWALL_TEST_UNSET}\ntls {\nca /not/there\n}\narchive /not/there"
	if _, err := adapted(redisCaddyfile(lines)); err != nil {
		t.Error(err)
	}
	if exists("/not") {
		t.Error("it has made the archive")
	}
}
