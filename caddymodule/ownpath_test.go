package caddymodule

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// Sites of one page send every address to it, and sites with scripts to one of
// those. The wallet's are not theirs.
func TestTheWalletsPagesStayWhereTheyAre(t *testing.T) {
	for name, rewriting := range map[string]string{
		"a site of one page": "try_files {path} /index.html", "one with scripts": "try_files {path} /index.html?{query}&p={path}",
		"everything": "rewrite * /index.html", "a prefix": "uri strip_prefix /.paywall", "a priced page": "try_files {path} /articles/3",
	} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, rewriting+"\n"+magazine)
			reader := s.browser()
			reader.submit(page.RedeemPath, url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther)
			reader.get(page.WalletPath + "?cursor=x").wants(http.StatusBadRequest)
			reader.submit(page.PayPath, url.Values{"path": {"/articles/1"}})
			reader.get(page.WalletPath).wants(http.StatusOK).saysNot("SECRET")
			s.stranger().get(pricesPath).wants(http.StatusOK).says(`"rules"`)
			s.stranger().get("/.paywall/prices/x").saysNot(`"rules"`)
		})
	}
}
