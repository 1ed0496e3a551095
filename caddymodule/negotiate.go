package caddymodule

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// form is how an answer is written.
type form uint8

const (
	asText form = iota // two plain lines, for curl
	asHTML             // a page, for people
	asJSON             // JSON, or RFC 9457 problem JSON
)

// formOf is the form that the request's Accept header prefers: HTML or JSON
// where it names one, by quality and then by order; else text. "*/*" names
// nothing: it is what curl sends.
func formOf(h http.Header) form {
	best, quality := asText, 0
	for item := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil {
			continue
		}
		candidate, named := formOfMedia(media)
		if q := thousandths(params["q"]); named && q > quality {
			best, quality = candidate, q
		}
	}
	return best
}

func formOfMedia(media string) (form, bool) {
	switch {
	case media == "text/html", media == "application/xhtml+xml":
		return asHTML, true
	case media == "application/json", strings.HasSuffix(media, "+json"):
		return asJSON, true
	case media == "text/plain":
		return asText, true
	}
	return asText, false
}

// thousandths reads a quality value (RFC 9110 §12.4.2): absent is 1, and what
// is not one is 0.
func thousandths(q string) int {
	if q == "" {
		return 1000
	}
	whole, fraction, _ := strings.Cut(q, ".")
	if len(fraction) > 3 {
		fraction = fraction[:3]
	}
	value, err := strconv.Atoi(whole + fraction + strings.Repeat("0", 3-len(fraction)))
	if err != nil || value < 0 || value > 1000 {
		return 0
	}
	return value
}

// postedForm reports whether the body is an HTML form's.
func postedForm(h http.Header) bool {
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return media == "application/x-www-form-urlencoded"
}
