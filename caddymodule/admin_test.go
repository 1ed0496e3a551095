package caddymodule

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A command whose connection sent it twice does it once (invariant 3).
func TestACreditIsMadeOncePerID(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("")
	body := `{"id":"` + newTestID(t) + `","wallet":"` + m.id() + `","amount":"1.00"}`
	credential := "Bearer " + s.kept(operatorFile)
	for range 3 {
		if status, answer := s.admins(http.MethodPost, "wallets/credit", body, "Authorization", credential); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
	}
	m.wantsBalance("1.00")
	changed := strings.Replace(body, "1.00", "2.00", 1)
	if status, answer := s.admins(http.MethodPost, "wallets/credit", changed, "Authorization", credential); status != http.StatusConflict {
		t.Errorf("the same id with another amount: %d %s", status, answer)
	}
	m.wantsBalance("1.00")
}

// admins sends a request to the admin endpoint.
func (s *site) admins(method, operation, body string, header ...string) (int, string) {
	s.Helper()
	r, err := http.NewRequest(method, "http://"+s.admin+adminPrefix+operation, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// The admin endpoint lets every local process in, and a browser's pages if they
// find a way: without the operator's credential nothing moves and nothing is
// told.
func TestWithoutTheCredentialNothingMoves(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	good := "Bearer " + s.kept(operatorFile)
	before := s.operator("verify", "--json")
	bodies := map[string]string{
		"vouchers/create": `{"value":"1.00","count":1}`, "vouchers/list": `{}`, "vouchers/void": `{"voucher":"1"}`,
		"wallets/list": `{}`, "wallets/show": `{"wallet":"` + m.id() + `"}`, "wallets/credit": `{"wallet":"` + m.id() + `","amount":"1.00"}`,
		"wallets/freeze": `{"wallet":"` + m.id() + `"}`, "report": `{}`, "verify": `{}`, "export": `{}`,
		"kiosks/enrol": `{"kiosk":"lobby"}`, "kiosks/list": `{}`, "kiosks/disable": `{"kiosk":"lobby"}`,
	}
	if routes := new(adminAPI).Routes(); len(routes) != len(bodies) {
		t.Errorf("there are %d routes, and %d are tested", len(routes), len(bodies))
	}
	for operation, body := range bodies {
		for what, c := range map[string]struct {
			method string
			header []string
			status int
		}{
			"no credential":           {"POST", nil, 403},
			"a wrong one":             {"POST", []string{"Authorization", good[:len(good)-1] + "0g"}, 403},
			"an empty one":            {"POST", []string{"Authorization", "Bearer "}, 403},
			"another scheme":          {"POST", []string{"Authorization", "Basic " + good[7:]}, 403},
			"a wallet's token":        {"POST", []string{"Authorization", m.header.Get("Authorization")}, 403},
			"a cookie":                {"POST", []string{"Cookie", "paywall=" + good[7:]}, 403},
			"GET":                     {"GET", []string{"Authorization", good}, 405},
			"PUT":                     {"PUT", []string{"Authorization", good}, 405},
			"a foreign origin":        {"POST", []string{"Authorization", good, "Origin", "https://evil.example"}, 403},
			"a page without cors":     {"POST", []string{"Authorization", good, "Sec-Fetch-Mode", "no-cors"}, 400},
			"the origin null":         {"POST", []string{"Authorization", good, "Origin", "null"}, 400},
			"the credential in a URL": {"POST", nil, 403},
		} {
			path := operation
			if strings.HasSuffix(what, "URL") {
				path += "?authorization=" + good[7:]
			}
			status, answer := s.admins(c.method, path, body, c.header...)
			if status != c.status || strings.Contains(answer, m.id()) || strings.Contains(answer, "1.00") || strings.Contains(answer, good[7:]) {
				t.Errorf("%s with %s: %d %s", operation, what, status, answer)
			}
		}
		for _, wrong := range []string{`{"colour":"red"}`, `[]`, body + body, `{"value":`} {
			if status, answer := s.admins("POST", operation, wrong, "Authorization", good); status != http.StatusBadRequest {
				t.Errorf("%s with %s: %d %s", operation, wrong, status, answer)
			}
		}
	}
	if after := s.operator("verify", "--json"); after != before {
		t.Errorf("the books were\n%s and are\n%s", before, after)
	}
}

// Without an admin endpoint there are no commands, and the site goes on.
func TestASiteWithoutAnAdminEndpointWorks(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	config, err := adapt("{\nadmin off\n}\n" + s.url + " {\nroot " + s.root + "\n" + magazine + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	s.loadJSON(config)
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.wantsBalance("0.90")
	if _, err := s.tryOperator("verify"); err == nil {
		t.Error("the operator's commands still work")
	}
	s.load(magazine)
}
