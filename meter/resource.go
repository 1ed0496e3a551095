package meter

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Resource is the key of what is paid for: the host, lower-cased and without a
// default port, and the decoded path, cleaned as Caddy's path matcher cleans
// it, so that /articles/1, //articles/1 and /free/../articles/1 are one thing
// paid for once. The query is not part of it: a reader who follows a link with
// a tracking parameter does not pay twice.
//
// A key longer than the ledger takes, or one that is not UTF-8 and would change
// on its way through JSON, keeps its beginning behind a hash. The hash follows
// the host after a '#', where a path has a '/', so that no path can be written
// to look like another's hash.
func Resource(host, urlPath string) string {
	host, urlPath = cleanHost(host), cleanPath(urlPath)
	whole := host + urlPath
	if len(whole) <= wallet.MaxResource && utf8.ValidString(whole) {
		return whole
	}
	sum := sha256.Sum256([]byte(whole))
	mark := "#" + hex.EncodeToString(sum[:])
	host = cut(host, maxHost)
	return host + mark + cut(urlPath, wallet.MaxResource-len(host)-len(mark))
}

// maxHost is the longest host name (RFC 1035 §2.3.4) with a port.
const maxHost = 253 + len(":65535")

// SplitResource returns the host and the path of a key made by Resource. The
// path of a shortened key is the beginning that it kept.
func SplitResource(resource string) (host, urlPath string) {
	end := strings.IndexAny(resource, "/#")
	if end < 0 {
		return resource, ""
	}
	host, urlPath = resource[:end], resource[end:]
	if _, rest, shortened := strings.Cut(urlPath, "/"); shortened && urlPath[0] == '#' {
		urlPath = "/" + rest
	}
	return host, urlPath
}

func cleanHost(host string) string {
	host = strings.ToLower(host)
	for _, port := range [...]string{":80", ":443"} {
		host = strings.TrimSuffix(host, port)
	}
	return strings.Map(dropSeparators, strings.TrimSuffix(host, "."))
}

// dropSeparators keeps a hostile Host header from ending the host early.
func dropSeparators(r rune) rune {
	if r == '/' || r == '#' {
		return -1
	}
	return r
}

// cleanPath resolves dots and doubled slashes and keeps a final slash, because
// servers answer /a and /a/ with different things.
func cleanPath(p string) string {
	rooted := p
	if !strings.HasPrefix(p, "/") {
		rooted = "/" + p
	}
	clean := path.Clean(rooted) // which allocates nothing where there is nothing to clean
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return clean
}

// cut returns the beginning of s in at most n bytes of valid UTF-8.
func cut(s string, n int) string {
	return strings.ToValidUTF8(s[:min(len(s), n)], "")
}
