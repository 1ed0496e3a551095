package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

// Attack: a link whose query is a command. Whoever asks for it with curl is told
// how to pay, copies the line, and would run the rest of it.
func TestALineForTheShellIsOneCommand(t *testing.T) {
	for url, want := range map[string]string{
		"http://site.example:8402/articles/1":             "http://site.example:8402/articles/1",
		"https://site.example/a%20b":                      "https://site.example/a%20b",
		"http://site.example/articles/1?a=1&b=2":          "'http://site.example/articles/1?a=1&b=2'",
		"http://site.example/articles/1?$(reboot)":        "'http://site.example/articles/1?$(reboot)'",
		"http://site.example/articles/1?`reboot`":         "'http://site.example/articles/1?`reboot`'",
		"http://site.example/articles/1?';reboot;'":       "'http://site.example/articles/1?%27;reboot;%27'",
		"http://site'|reboot|'.example/articles/1":        "'http://site%27|reboot|%27.example/articles/1'",
		`http://site.example/articles/1?{{env "SECRET"}}`: `'http://site.example/articles/1?%7B%7Benv "SECRET"%7D%7D'`,
	} {
		got := shellWord(url)
		if got != want {
			t.Errorf("%s is written %s, want %s", url, got, want)
		}
		if quotes := strings.Count(got, "'"); quotes != 0 && (quotes != 2 || got[0] != '\'' || got[len(got)-1] != '\'') {
			t.Errorf("%s is not one word", got)
		}
	}
}

// Attack: a template action in an address, on a site that runs the templates
// directive over its answers, the paywall's among them.
func TestAnAddressIsNotExecutedByATemplatesDirective(t *testing.T) {
	s := startSite(t, "route {\ntemplates\npaywall /articles/* 0.10\nfile_server\n}")
	for _, accept := range []string{"*/*", "text/html"} {
		page := s.stranger().with("Accept", accept).get("/articles/1?{{print_is_no_function}}&{{.Req.Host}}").
			wants(http.StatusPaymentRequired).says("/articles/1")
		if strings.Contains(page.body, "{{") {
			t.Errorf("to %s it says %s", accept, page.body)
		}
	}
}
