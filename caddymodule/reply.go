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

// The media types of answers.
const (
	pageMedia    = "text/html; charset=utf-8"
	textMedia    = "text/plain; charset=utf-8"
	problemMedia = "application/problem+json" // RFC 9457
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
		writeJSON(w, p.status, problemMedia, p.json(frame.Lang))
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
	policy := page.ContentSecurityPolicy
	if own, has := p.(interface{ Policy() string }); has {
		policy = own.Policy()
	}
	writeUnder(policy, w, status, pageMedia, body.Bytes())
}

func writeJSON(w http.ResponseWriter, status int, media string, body any) {
	writeBody(w, status, media, marshaled(body))
}

// marshaled is an answer as JSON, on a line.
func marshaled(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic("paywall: an answer that is not JSON: " + err.Error())
	}
	return append(text, '\n')
}

func writeText(w http.ResponseWriter, status int, text string) {
	writeBody(w, status, textMedia, []byte(text))
}

// writeBody sends an answer. The body is not kept.
func writeBody(w http.ResponseWriter, status int, media string, body []byte) {
	writeUnder(page.ContentSecurityPolicy, w, status, media, body)
}

// writeUnder is writeBody with the policy that a page is under.
func writeUnder(policy string, w http.ResponseWriter, status int, media string, body []byte) {
	h := w.Header()
	setFields(h, field{"Content-Type", media}, field{"Content-Length", strconv.Itoa(len(body))}, field{"X-Content-Type-Options", "nosniff"})
	if media == pageMedia {
		setFields(h, field{"Content-Security-Policy", policy},
			field{"Referrer-Policy", "same-origin"}) // not no-referrer, with which browsers send Origin: null
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone cannot be told
}

// field is a header field: its name in the canonical form of net/http, and a
// value.
type field struct{ name, value string }

// setFields sets header fields, with one array for all their values instead of
// one for each. The array is this answer's own: Caddy's header directive
// replaces values where they are, and would rewrite one that answers share for
// every answer to come. Each value's slice ends with it, so that whoever adds
// to one field does not write into the next.
func setFields(h http.Header, fields ...field) {
	values := make([]string, len(fields))
	for i, f := range fields {
		values[i] = f.value
		h[f.name] = values[i : i+1 : i+1]
	}
}

// addVary adds to the header Vary the names that it does not hold yet, as one
// line.
func addVary(h http.Header, names ...string) {
	missing := make([]string, 0, 4)
	for _, name := range names {
		if !varies(h, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		h["Vary"] = append(h["Vary"], strings.Join(missing, ", "))
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
