package main_test

import (
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// What visitors of a soaked site ask for, and how it may be answered.

func (l *load) reader(random *rand.Rand) *soakReader { return l.readers[random.IntN(len(l.readers))] }

func (p *soakReader) bearer() map[string]string {
	return map[string]string{"Authorization": "Bearer " + p.token}
}

// fresh is a page that nobody has asked for, which the reader will have.
func (l *load) fresh(p *soakReader) string {
	number := l.pages.Add(1)
	p.recent[number%int64(len(p.recent))].Store(number)
	return fmt.Sprintf("/articles/%d", number)
}

// read is a page that the reader has bought lately; it is charged again where
// that is longer ago than the window.
func (p *soakReader) read(random *rand.Rand) string {
	return fmt.Sprintf("/articles/%d", p.recent[random.IntN(len(p.recent))].Load())
}

func (l *load) newPage(random *rand.Rand) (request, []int) {
	p := l.reader(random)
	return request{method: http.MethodGet, path: l.fresh(p), header: p.bearer()}, []int{http.StatusOK}
}

func (l *load) pageAgain(random *rand.Rand) (request, []int) {
	p := l.reader(random)
	return request{method: http.MethodGet, path: p.read(random), header: p.bearer()}, []int{http.StatusOK}
}

// pageByCookie is what a browser asks: the page is there, or the button to pay.
func (l *load) pageByCookie(random *rand.Rand) (request, []int) {
	p := l.reader(random)
	header := map[string]string{"Cookie": "paywall=" + p.token, "Accept": "text/html"}
	return request{method: http.MethodGet, path: p.read(random), header: header},
		[]int{http.StatusOK, http.StatusPaymentRequired, http.StatusTooManyRequests}
}

func (l *load) visit(random *rand.Rand) (request, []int) {
	path := fmt.Sprintf("/research/%d", random.IntN(100))
	return request{method: http.MethodGet, path: path, header: l.reader(random).bearer()},
		[]int{http.StatusOK, http.StatusPaymentRequired, http.StatusTooManyRequests} // all visits may be taken
}

func (l *load) payAhead(random *rand.Rand) (request, []int) {
	p := l.reader(random)
	body := asJSON(map[string]string{"id": l.newID(), "path": l.fresh(p), "offer": "view"})
	return request{method: http.MethodPost, path: payPath, body: body, header: p.bearer()}, []int{http.StatusOK}
}

// anywhere is the address of a stranger: of a million, some of which come back.
func anywhere(random *rand.Rand) string {
	if random.IntN(2) == 0 {
		return fmt.Sprintf("2001:db8:%x:%x::1", random.IntN(1000), random.IntN(1000))
	}
	return fmt.Sprintf("10.%d.%d.%d", random.IntN(16), random.IntN(256), random.IntN(256))
}

// stranger is the header of somebody with any address, taste and language, or
// of a crawler, who has one address and is limited.
func stranger(random *rand.Rand) map[string]string {
	accepts := []string{"text/html", "application/json", "*/*", fmt.Sprintf("text/x-%d;q=0.5", random.Int())}
	header := map[string]string{
		"X-Forwarded-For": anywhere(random), "Accept": accepts[random.IntN(len(accepts))],
		"Accept-Language": fmt.Sprintf("x-%d,it;q=0.%d", random.IntN(1_000_000), 1+random.IntN(9)),
	}
	if random.IntN(4) == 0 {
		header["X-Forwarded-For"] = "192.0.2.1"
	}
	return header
}

func (l *load) price(random *rand.Rand) (request, []int) {
	path := fmt.Sprintf("/articles/%d?q=%d", random.Int64(), random.Int())
	return request{method: http.MethodGet, path: path, header: stranger(random)},
		[]int{http.StatusPaymentRequired, http.StatusTooManyRequests}
}

func (l *load) forge(random *rand.Rand) (request, []int) {
	header := stranger(random)
	token := []byte(l.reader(random).token)
	for range 8 {
		const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		token[len(token)-80+random.IntN(60)] = base64[random.IntN(len(base64))]
	}
	header["Authorization"] = "Bearer " + string(token)
	return request{method: http.MethodGet, path: "/articles/1", header: header},
		[]int{http.StatusUnauthorized, http.StatusTooManyRequests}
}

func (l *load) newWallet(random *rand.Rand) (request, []int) {
	return request{method: http.MethodPost, path: "/.paywall/wallets", header: map[string]string{"X-Forwarded-For": anywhere(random)}},
		[]int{http.StatusCreated, http.StatusTooManyRequests}
}

// redeem puts a voucher into a new wallet, as long as there are any.
func (l *load) redeem(random *rand.Rand) (request, []int) {
	n := int(l.next.Add(1)) - 1
	if n >= len(l.codes) {
		return l.newWallet(random)
	}
	return l.code(l.codes[n], random), []int{http.StatusOK, http.StatusTooManyRequests}
}

func (l *load) wrongCode(random *rand.Rand) (request, []int) {
	code, err := wallet.NewVoucherCode(cryptorand.Reader)
	if err != nil {
		l.Error(err)
	}
	return l.code(code.String(), random), []int{http.StatusUnprocessableEntity, http.StatusTooManyRequests}
}

func (l *load) code(code string, random *rand.Rand) request {
	return request{
		method: http.MethodPost, path: redeemPath, body: asJSON(map[string]string{"code": code}),
		header: map[string]string{"X-Forwarded-For": anywhere(random)},
	}
}
