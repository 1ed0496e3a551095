package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

func TestAReloadForgetsNoVerifiedToken(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	token := strings.TrimPrefix(m.header.Get("Authorization"), "Bearer ")
	m.get("/articles/1").wants(http.StatusOK)
	s.load(magazine + "\nheader Reloaded yes")
	app := runningApp(t)
	k, err := app.open()
	if err != nil {
		t.Fatal(err)
	}
	if _, settled, err := k.ring.Recall(token, app.now()); !settled || err != nil {
		t.Errorf("after a reload the token must be verified anew: %v, %v", settled, err)
	}
}
