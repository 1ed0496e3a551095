package press

import "encoding/json"

// Escape appends value to dst as a place in a text needs it.
type Escape func(dst []byte, value string) []byte

// Plain appends the value as it is.
func Plain(dst []byte, value string) []byte { return append(dst, value...) }

// HTML escapes as html/template does in an element's text, in a title and in a
// quoted attribute that is no URL, script or style.
func HTML(dst []byte, value string) []byte {
	written := 0
	for i := range len(value) {
		if reference := references[value[i]]; reference != "" {
			dst = append(dst, value[written:i]...)
			dst = append(dst, reference...)
			written = i + 1
		}
	}
	return append(dst, value[written:]...)
}

// references is what HTML writes for a byte; empty: the byte itself.
var references = [256]string{
	0: "\uFFFD", '"': "&#34;", '\'': "&#39;", '&': "&amp;", '<': "&lt;", '>': "&gt;", '+': "&#43;",
}

// URL escapes as html/template does in a quoted attribute that is a URL. The
// value must be a part of a URL that has no scheme, or one the caller trusts:
// html/template would also look at that.
func URL(dst []byte, value string) []byte {
	const digits = "0123456789abcdef"
	for i := range len(value) {
		c := value[i]
		switch {
		case !inURL[c] && (c != '%' || !escaped(value[i:])):
			dst = append(dst, '%', digits[c>>4], digits[c&0xf])
		case references[c] != "":
			dst = append(dst, references[c]...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// inURL is the bytes that stay as they are in a URL: the unreserved and the
// reserved ones (RFC 3986 §2), but for quotes and parentheses, which end a URL
// in some places of CSS and HTML.
var inURL = bytesOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!#$&*+,/:;=?@[]")

func bytesOf(set string) (in [256]bool) {
	for i := range len(set) {
		in[set[i]] = true
	}
	return in
}

// escaped reports whether value begins with a percent sign and two
// hexadecimal digits.
func escaped(value string) bool {
	return len(value) > 2 && hexadecimal[value[1]] && hexadecimal[value[2]]
}

var hexadecimal = bytesOf("0123456789abcdefABCDEF")

// JSON escapes as encoding/json does inside a string, without the quotes.
func JSON(dst []byte, value string) []byte {
	for i := range len(value) {
		if !inJSON[value[i]] {
			text, err := json.Marshal(value)
			if err != nil {
				panic("press: a string is always JSON: " + err.Error())
			}
			return append(dst, text[1:len(text)-1]...)
		}
	}
	return append(dst, value...)
}

// inJSON is the bytes that encoding/json never escapes, and that need no look
// at their neighbours.
var inJSON = func() (in [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		in[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return in
}()
