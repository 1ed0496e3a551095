package caddymodule

import (
	"mime"
	"net/http"
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
	for item := range strings.SplitSeq(strings.Join(h["Accept"], ","), ",") {
		if candidate, q := formOfItem(strings.TrimSpace(item)); q > quality {
			best, quality = candidate, q
		}
	}
	return best
}

// formOfItem is the form that an item of Accept names, and its quality; zero:
// it names none. It reads by itself what all browsers and programs send, a
// media type in lower case with or without a quality, because
// mime.ParseMediaType allocates for each of the eight that a browser names.
func formOfItem(item string) (form, int) {
	media, params, more := strings.Cut(item, ";")
	q, weighed := strings.CutPrefix(strings.TrimLeft(params, " "), "q=")
	if more && (!weighed || q == "") || !isPlain(media) || !isPlain(q) {
		return formOfParsed(item)
	}
	named, ok := formOfMedia(media)
	switch {
	case !ok:
		return asText, 0
	case strings.Count(media, "/") != 1 || media[0] == '/':
		return formOfParsed(item) // which is no media type, but not all of them are refused
	}
	return named, thousandths(q)
}

// isPlain reports whether every character stands for itself in a media type and
// in a quality.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '/', c == '+', c == '-', c == '.', c == '*':
		default:
			return false
		}
	}
	return true
}

func formOfParsed(item string) (form, int) {
	media, params, err := mime.ParseMediaType(item)
	if err != nil {
		return asText, 0
	}
	if named, ok := formOfMedia(media); ok {
		return named, thousandths(params["q"])
	}
	return asText, 0
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
// is not one is 0. Digits after the third are not looked at.
func thousandths(q string) int {
	if q == "" {
		return 1000
	}
	whole, fraction, _ := strings.Cut(q, ".")
	if whole != "0" && whole != "1" {
		return 0
	}
	value := int(whole[0] - '0')
	for i := range 3 {
		digit := byte('0')
		if i < len(fraction) {
			digit = fraction[i]
		}
		if digit < '0' || digit > '9' {
			return 0
		}
		value = 10*value + int(digit-'0')
	}
	if value > 1000 {
		return 0
	}
	return value
}

// postedForm reports whether the body is an HTML form's.
func postedForm(h http.Header) bool {
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return media == "application/x-www-form-urlencoded"
}
