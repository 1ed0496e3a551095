package caddymodule

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// overHTTP2 is the visitor with a client that speaks HTTP/2 from the first byte.
func (v *visitor) overHTTP2() *visitor {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	v.Cleanup(transport.CloseIdleConnections)
	other := *v
	other.client = &http.Client{Transport: transport, CheckRedirect: dontFollow}
	return &other
}

// HTTP/2 can send header fields after the body: those of an answer that was
// refused must not leave either.
func TestOverHTTP2ARefusedAnswerLeavesNoTrailer(t *testing.T) {
	var meanwhile func()
	s := startSite(t, "")
	err := s.tryLoad("servers {\nprotocols h1 h2c\n}", "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Path == "/articles/1" {
			meanwhile()
		}
		w.Header().Set("Trailer", "Announced")
		_, err := io.WriteString(w, secretBody)
		w.Header().Set("Announced", "of the page")
		w.Header().Set(http.TrailerPrefix+"Secret", "of the page")
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	m := s.machine("0.20").overHTTP2()
	meanwhile = func() {}
	read := m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD").says(secretBody)
	if read.Proto != "HTTP/2.0" || read.Trailer.Get("Secret") == "" || read.Trailer.Get("Announced") == "" {
		t.Errorf("over %s the trailer is %v", read.Proto, read.Trailer)
	}
	m.wantsBalance("0.10")

	poor := s.machine("0.10").overHTTP2()
	meanwhile = func() { poor.get("/articles/2").wants(http.StatusOK) }
	refused := poor.get("/articles/1").wants(http.StatusPaymentRequired).saysNot("SECRET")
	for name := range refused.Trailer {
		t.Errorf("the trailer %s leaves", name)
	}
	if strings.Contains(refused.Header.Get("Trailer"), "Announced") {
		t.Error("the trailer is announced")
	}
	poor.wantsBalance("0.00")
}
