package caddymodule

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// errRedisURL never shows the url, or what a parser says of it: a password that is
// not percent-encoded ends up in any part.
var errRedisURL = errors.New("url: it is none; write redis://host:6379, redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path?db=0. " +
	"Special characters of a password are percent-encoded, or it is given by the option password, with address in the place of url")

const redisPort = "6379"

// settleURL reads a server's URL into the options. The client library's own parser
// is not used: its errors show the url, and its options are more than ours.
func (s *redisStore) settleURL(text string) error {
	o := &s.options
	u, err := url.Parse(text)
	if err != nil || u.Fragment != "" || u.Opaque != "" || strings.HasSuffix(text, "#") {
		return errRedisURL
	}
	if u.User != nil {
		o.Username = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	db := strings.TrimPrefix(u.Path, "/")
	switch u.Scheme {
	case "rediss":
		o.TLS = plainTLS()
		fallthrough
	case "redis":
		if u.RawQuery != "" || u.Hostname() == "" {
			return errRedisURL
		}
		port := u.Port()
		if port == "" {
			port = redisPort
		}
		o.Addresses = []string{net.JoinHostPort(u.Hostname(), port)}
	case "unix":
		db = u.Query().Get("db")
		if u.Host != "" || u.Path == "" || u.RawQuery != "" && u.RawQuery != "db="+db {
			return errRedisURL
		}
		o.Addresses = []string{u.Path}
	default:
		return errRedisURL
	}
	if !isAddress(o.Addresses[0]) {
		return errRedisURL
	}
	if db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return errRedisURL
		}
	}
	return nil
}
