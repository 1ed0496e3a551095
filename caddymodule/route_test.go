package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

// A site without the wallet's pages could not be paid.
func TestEverySiteHasTheWalletsPages(t *testing.T) {
	s := startSite(t, "")
	second := "http://" + freeAddress(t)
	s.load(magazine + "}\n" + second + " {\nroot " + s.root + "\npaywall /articles/* 0.20\nfile_server")
	m := s.machine("1.00")
	elsewhere := *m
	other := *s
	other.url = second
	elsewhere.site = &other
	for _, v := range []*visitor{m, &elsewhere} {
		v.get("/.paywall/wallet").wants(http.StatusOK)
		v.get("/.paywall/prices").wants(http.StatusOK)
		v.post("/.paywall/pay", map[string]any{"path": "/articles/1"}).wants(http.StatusOK)
		v.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	}
	m.wantsBalance("0.70") // each host sells its own article
}

func TestPricesInHandleAndRouteBlocks(t *testing.T) {
	for name, directives := range map[string]string{
		"route":                      "route {\npaywall /articles/* 0.10\npaywall /research/* 0.10\nfile_server\n}",
		"handle":                     "paywall\nhandle /articles/* {\npaywall 0.10\nfile_server\n}\nhandle {\nfile_server\n}",
		"handle of the wallet's too": "handle /articles/* {\npaywall 0.10\nfile_server\n}\nhandle {\npaywall /research/* 0.10\nfile_server\n}",
		"handle_path":                "paywall\nhandle_path /shop/* {\npaywall /articles/* 0.10\nfile_server\n}",
	} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, directives)
			m := s.machine("1.00")
			path := "/articles/1"
			if name == "handle_path" {
				path = "/shop/articles/1"
			}
			s.stranger().get(path).wants(http.StatusPaymentRequired).saysNot("SECRET")
			m.get(path).wants(http.StatusOK).says("SECRET articles/1").wantsHeader("Paywall-Charged", "0.10 USD")
			m.get(path).wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
			s.browser().get("/.paywall/wallet").wants(http.StatusOK)
			m.wantsBalance("0.90")
		})
	}
}

// The more specific line decides, and the other one does not charge again.
func TestPricesThatOverlapChargeOnce(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10\npaywall /articles/1 0.05\npaywall 0.30\nfile_server")
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.05 USD")
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.get("/").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.30 USD")
	m.wantsBalance("0.55")
}

func TestAWholeSiteHasAPrice(t *testing.T) {
	s := startSite(t, "paywall 0.10\nfile_server")
	m := s.machine("1.00")
	for _, path := range []string{"/", "/index.html", "/articles/1", "/nothing", "/.paywall", "/.paywallx"} {
		s.stranger().get(path).wants(http.StatusPaymentRequired).saysNot("SECRET")
	}
	m.get("/").wants(http.StatusOK).says("SECRET index").wantsHeader("Paywall-Charged", "0.10 USD")
	m.get("/nothing").wants(http.StatusNotFound)
	m.wantsBalance("0.90")
}

// An error page is not what was paid for, and is free even where its path has a
// price.
func TestAnErrorPageIsNotCharged(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10\nfile_server\nhandle_errors {\nrewrite * /articles/3\nfile_server {\nstatus 404\n}\n}")
	m := s.machine("1.00")
	m.get("/articles/missing").wants(http.StatusNotFound).wantsHeader("Paywall-Charged", "")
	m.wantsBalance("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	m.wantsBalance("0.90")
}

// An error route with a price of its own does not charge the request again.
func TestAnErrorRouteWithAPriceChargesOnce(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10\nfile_server\nhandle_errors {\npaywall 0.50\nrewrite * /index.html\nfile_server\n}")
	m := s.machine("1.00")
	m.get("/articles/missing").wants(http.StatusNotFound).says("SECRET index")
	m.wantsBalance("1.00")
}

// The price is that of the path after a rewrite, the address to come back to is
// the one before it, and both spellings are one page.
func TestARewrittenPageIsChargedOnce(t *testing.T) {
	s := startSite(t, "rewrite /read/* /articles/{http.request.uri.path.file}\npaywall /articles/* 0.10\nfile_server")
	m := s.machine("1.00")
	var c challengeJSON
	m.decode([]byte(s.stranger().get("/read/1?a=b").wants(http.StatusPaymentRequired).body), &c)
	if c.Instance != "/read/1?a=b" || !strings.Contains(c.Detail, "/articles/1") {
		t.Errorf("the challenge is %+v", c)
	}
	m.post("/.paywall/pay", map[string]any{"path": "/read/1"}).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.get("/read/1").wants(http.StatusOK).says("SECRET articles/1").wantsHeader("Paywall-Charged", "")
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	m.wantsBalance("0.90")
}

// The gate is outside of what an upstream's answer is replaced by.
func TestAnUpstreamsOwnRedirectInsideIsChargedByItsFinalStatus(t *testing.T) {
	s := startSite(t, "")
	inner := upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		return deliveries[r.URL.Query().Get("way")].serve(w, r)
	})
	backend := "http://" + freeAddress(t)
	s.load("paywall /articles/* 0.10\nreverse_proxy " + strings.TrimPrefix(backend, "http://") + " {\n@bad status 404\nhandle_response @bad {\nrespond \"found elsewhere\" 200\n}\n}\n}\n" +
		backend + " {\n" + inner)
	m := s.machine("1.00")
	m.get("/articles/1?way=404+written").wants(http.StatusOK).says("found elsewhere").wantsHeader("Paywall-Charged", "0.10 USD")
	m.wantsBalance("0.90")
}

// What the upstream gets to know of the sale, by placeholders.
func TestThePlaceholdersSayWhatWasSold(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10 {\nrule essays\nbundle 2 0.10\n}\n"+
		"respond \"{http.paywall.rule}|{http.paywall.price}|{http.paywall.currency}|{http.paywall.wallet}|{http.paywall.visits}\"")
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK).says("essays|0.10|USD|" + m.id() + "|")
	m.post("/.paywall/pay", map[string]any{"path": "/articles/2", "offer": "bundle"}).wants(http.StatusOK)
	m.get("/articles/2").wants(http.StatusOK).says("|" + m.id() + "|1")
}
