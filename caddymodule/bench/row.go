package main

import (
	"fmt"
	"regexp"
	"time"
)

// who sends the requests of a row.
type who uint8

const (
	anonymous who = iota
	bearer        // a program, with a wallet's token
	returning     // a reader's browser, with what it was given before
)

func (w who) String() string {
	return [...]string{"anonymous", "token", "cookie"}[w]
}

// row is one kind of request, asked for at one site by a number of connections.
type row struct {
	Ledger      string // on Redis: how; empty: the embedded one
	Site        string
	Connections int
	Name        string

	who     who
	path    string
	accept  string
	fresh   bool   // each page is one that nobody has paid for
	refused bool   // every answer has a status of 400 or more; else none
	outcome string // what the paywall counts each answer as; empty: not at all
}

func (r row) String() string {
	text := fmt.Sprintf("%s, %d connections, %s", r.Site, r.Connections, r.Name)
	if r.Ledger != "" {
		return r.Ledger + ", " + text
	}
	return text
}

// group is rows with the same bare Caddy to compare with: the same site and
// number of connections, and requests of the same length but for what they
// accept.
type group []row

const (
	browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	programAccept = "*/*"
)

const (
	fewConnections  = 64
	manyConnections = 256
)

// allGroups are the rows of the table, in its order.
func allGroups() (groups []group) {
	for _, site := range []string{fileServer, reverseProxy} {
		paid := row{Site: site, who: bearer, Name: "paid view, a new page each time", path: pricedPath, accept: programAccept, fresh: true, outcome: "paid"}
		few, many := paid, paid
		few.Connections, many.Connections = fewConnections, manyConnections
		free := row{Site: site, Connections: fewConnections, Name: "unpriced path", path: freePath, accept: browserAccept}
		challenge := func(form, accept string) row {
			return row{
				Site: site, Connections: fewConnections, Name: "402, " + form, path: pricedPath, accept: accept,
				refused: true, outcome: "challenged",
			}
		}
		again := func(name string, by who, accept string) row {
			return row{
				Site: site, Connections: fewConnections, Name: "re-read, " + name, who: by, path: pricedPath, accept: accept,
				outcome: "granted",
			}
		}
		groups = append(groups,
			group{free, challenge("HTML", browserAccept), challenge("JSON", "application/json"), challenge("text", programAccept)},
			group{again("receipt", returning, browserAccept)},
			group{again("token", bearer, programAccept), few},
			group{many})
	}
	return groups
}

// redisGroups are the rows of the table of a ledger on Redis: those that pay.
func redisGroups(of redisSetup) (groups []group) {
	for _, g := range allGroups() {
		for _, r := range g {
			if r.fresh {
				r.Ledger = of.Name
				groups = append(groups, group{r})
			}
		}
	}
	return groups
}

// chosen leaves the rows that the pattern matches.
func chosen(groups []group, only *regexp.Regexp) (left []group) {
	for _, g := range groups {
		var rows group
		for _, r := range g {
			if only.MatchString(r.String()) {
				rows = append(rows, r)
			}
		}
		if len(rows) > 0 {
			left = append(left, rows)
		}
	}
	return left
}

// load is what wrk sends for the row.
func (r row) load(s *stand, window time.Duration) load {
	l := load{
		window: window, limit: noLimit, connections: r.Connections, path: r.path,
		fields: "Accept: " + r.accept + "\r\n",
	}
	switch r.who {
	case bearer:
		l.lines, l.cycle = s.readers.bearers, len(s.readers.tokens)
	case returning:
		l.lines, l.cycle = s.cookies[r.Site].lines, s.cookies[r.Site].count
	}
	if r.fresh {
		l.first, l.cycle = s.nextPage, 0
	}
	return l
}
