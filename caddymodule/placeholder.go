package caddymodule

import (
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// describe provides the placeholders {http.paywall.*}. They are written when
// something asks, which on most sites nothing does.
func (s *sale) describe() {
	if repl, ok := s.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Map(s.placeholder)
	}
}

func (s *sale) placeholder(key string) (any, bool) {
	name, ours := strings.CutPrefix(key, "http.paywall.")
	if !ours {
		return nil, false
	}
	switch name {
	case "rule":
		return s.rule.Name, true
	case "price":
		return s.app.currency.Format(s.rule.Lead().Price), true
	case "currency":
		return s.app.currency.String(), true
	case "wallet":
		if s.wallet == (wallet.WalletID{}) {
			return "", true
		}
		return s.wallet.String(), true
	case "visits":
		if s.charge == (wallet.OpID{}) || s.standing.Visits == 0 {
			return "", true
		}
		return strconv.Itoa(s.standing.Visits - 1), true
	case "outcome":
		return string(s.outcome), s.outcome != ""
	case "charge_id":
		if !s.paid {
			return nil, false
		}
		return s.charge.String(), true
	}
	return nil, false
}
