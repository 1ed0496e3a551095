package caddymodule

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A Redis elsewhere is talked to by TLS, with a certificate of the paywall's own, whether
// its address is given as one or as a url.
func TestALedgerIsOnARedisBehindTLS(t *testing.T) {
	_, files := redistest.StartTLS(t)
	certificates := fmt.Sprintf("\ntls {\nca %s\ncert %s\nkey %s\n}", files.CA, files.Cert, files.Key)
	s := startSiteWith(t, redisOption("address "+files.Addr+certificates), magazine)
	s.tellsTheReadersStory()
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	wantsNoError(t, s.tryLoad(redisOption("url rediss://"+files.Addr+certificates), magazine))
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	m.wantsBalance("0.90")
	s.proveConservation()
}

// The attack: somebody between the paywall and Redis who has neither the authority's
// signature nor the paywall's certificate.
func TestARedisThatNobodyVouchesForGetsNoLedger(t *testing.T) {
	_, files := redistest.StartTLS(t)
	_, others := redistest.StartTLS(t)
	s := startSite(t, magazine)
	for what, option := range map[string]string{
		"give the authority's in ca":    "address " + files.Addr + "\ntls {\nca " + others.CA + "\n}",
		"compare ca, cert and key with": "address " + files.Addr + "\ntls {\nca " + files.CA + "\n}",
	} {
		err := s.tryLoad(redisOption(option+"\ntimeout 300ms"), magazine)
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s\nanswers %v", option, err)
		}
	}
}
