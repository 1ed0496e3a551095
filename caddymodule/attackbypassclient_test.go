package caddymodule

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const boughtPath = "/articles/bought.html"

// buyOne gives a wallet the price of one page of every site, and spends it. A
// token and a receipt of it are what the corpus sends.
func (s *bypassSites) buyOne() {
	s.Helper()
	var token string
	for i, address := range s.priced {
		if i == 0 {
			token = s.newToken(address)
		}
		s.fill = append(s.fill, strings.NewReplacer("{host}", address, "{token}", token))
		if bypassWays[i].name == "proxy to one that looks at the beginning" { // which has no such page
			continue
		}
		s.credit(address, token)
		bearing := s.raw(address, s.filled(i, bypassRequest("GET", boughtPath, "Authorization: Bearer {token}\r\n")))
		reading := s.raw(address, s.filled(i, bypassRequest("GET", boughtPath, "Cookie: paywall={token}\r\n")))
		_, receipt, given := strings.Cut(string(reading), "Set-Cookie: ")
		receipt, _, _ = strings.Cut(receipt, ";")
		if !bytes.Contains(bearing, []byte("Paywall-Balance: 0.00 USD")) || !bytes.Contains(reading, []byte(boughtMark)) || !given {
			s.Fatalf("%s: a page is not sold, or without a receipt:\n%s\n%s", bypassWays[i].name, bearing, reading)
		}
		s.fill[i] = strings.NewReplacer("{host}", address, "{token}", token, "{receipt}", receipt)
	}
}

func (s *bypassSites) newToken(address string) string {
	s.Helper()
	made := s.raw(address, []byte("POST "+walletsPath+" HTTP/1.1\r\nHost: "+address+"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	_, token, _ := strings.Cut(string(made), `"token":"`)
	token, _, found := strings.Cut(token, `"`)
	if !found {
		s.Fatalf("no wallet:\n%s", made)
	}
	return token
}

// credit redeems a voucher for the price of one page.
func (s *bypassSites) credit(address, token string) {
	s.Helper()
	module, err := caddy.ActiveContext().AppIfConfigured(appName)
	s.must(err)
	app := module.(*App)
	known, err := app.open()
	s.must(err)
	ledger, err := app.lease()
	s.must(err)
	defer ledger.release()
	code, err := wallet.NewVoucherCode(app.random)
	s.must(err)
	_, err = ledger.IssueVouchers(context.Background(), wallet.IssueVouchers{
		ID: app.newID(), Value: 100_000, Digests: []wallet.Digest{code.Digest(known.vouchers)},
	})
	s.must(err)
	body := fmt.Sprintf(`{"code": %q}`, code.String())
	s.raw(address, fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		page.RedeemPath, address, token, len(body), body))
}

// filled is a request of the corpus for a site.
func (s *bypassSites) filled(way int, request string) []byte {
	return []byte(s.fill[way].Replace(request))
}

// raw is sendRaw that stops the test where there is no server.
func (s *bypassSites) raw(address string, request []byte) []byte {
	s.Helper()
	answer, err := sendRaw(address, request, 10*time.Second)
	s.must(err)
	return answer
}

// sendRaw sends bytes to a server and returns everything that it answers until
// it closes the connection, which it does when it has waited long enough for
// more, or for as long as said. To close it on this side would be to have gone.
func sendRaw(address string, request []byte, within time.Duration) ([]byte, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	_, _ = conn.Write(request)    // the server may have hung up before the end
	answer, _ := io.ReadAll(conn) // what came before an error counts too
	return answer, nil
}

// leaked says what of a priced file an answer holds; empty: nothing.
func leaked(answer []byte) string {
	if bytes.IndexByte(answer, pricedByte) >= 0 {
		return "its bytes"
	}
	if bytes.Contains(answer, []byte("Last-Modified: "+pricedDay)) {
		return "its day"
	}
	for _, a := range parsed(answer) {
		if bytes.IndexByte(a.body, pricedByte) >= 0 {
			return "its bytes, compressed"
		}
	}
	return ""
}

// parsedAnswer is one answer on a connection.
type parsedAnswer struct {
	status int
	body   []byte // without a coding, as far as it came
}

// parsed is the answers on a connection, as far as they can be told apart.
func parsed(raw []byte) (answers []parsedAnswer) {
	for connection := bufio.NewReader(bytes.NewReader(raw)); ; {
		answer, err := http.ReadResponse(connection, nil)
		if err != nil {
			return answers
		}
		var body io.Reader = answer.Body
		if answer.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(answer.Body); err != nil {
				body = strings.NewReader("")
			}
		}
		text, _ := io.ReadAll(body) // an answer that is cut off counts too
		answers = append(answers, parsedAnswer{answer.StatusCode, text})
	}
}
