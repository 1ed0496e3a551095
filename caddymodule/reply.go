package caddymodule

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// write sends the problem in the form that its receiver reads.
func (p problem) write(w http.ResponseWriter, r *http.Request, f form, frame page.Frame) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	allowAsker(h, r)
	addVary(h, "Accept", "Accept-Language", "Authorization", "Cookie")
	if p.retry > 0 {
		seconds := (p.retry + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="paywall", error="invalid_token"`)
	}
	if f == asHTML && p.key == page.Limited {
		f = asText // a flood shall not have a page for each request
	}
	switch f {
	case asHTML:
		back := ""
		if r.Method == http.MethodPost {
			back = page.WalletPath
		}
		writePage(w, p.status, page.Problem{Frame: frame, Status: p.status, Key: p.key, Return: back})
	case asJSON:
		writeJSON(w, p.status, "application/problem+json", p.json(frame.Lang))
	default:
		writeText(w, p.status, page.Title(frame.Lang, p.key)+"\n"+p.text(frame.Lang)+"\n")
	}
}

// writePage sends a page for people.
func writePage(w http.ResponseWriter, status int, p interface{ Render(io.Writer) error }) {
	var body bytes.Buffer
	if err := p.Render(&body); err != nil {
		panic("paywall: " + err.Error()) // package page's tests execute every template
	}
	h := w.Header()
	h.Set("Content-Security-Policy", page.ContentSecurityPolicy)
	h.Set("Referrer-Policy", "same-origin") // not no-referrer, with which browsers send Origin: null
	writeBody(w, status, "text/html; charset=utf-8", body.Bytes())
}

func writeJSON(w http.ResponseWriter, status int, media string, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("paywall: an answer that is not JSON: " + err.Error())
	}
	writeBody(w, status, media, append(text, '\n'))
}

func writeText(w http.ResponseWriter, status int, text string) {
	writeBody(w, status, "text/plain; charset=utf-8", []byte(text))
}

func writeBody(w http.ResponseWriter, status int, media string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone cannot be told
}

// addVary adds to the header Vary the names that it does not hold yet.
func addVary(h http.Header, names ...string) {
	for _, name := range names {
		if !varies(h, name) {
			h.Add("Vary", name)
		}
	}
}

func varies(h http.Header, name string) bool {
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(field), name) {
				return true
			}
		}
	}
	return false
}
