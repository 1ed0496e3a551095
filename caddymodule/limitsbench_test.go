package caddymodule

import (
	"net/http"
	"testing"
)

// BenchmarkUnpaid measures what a request without payment costs, before its
// address has used up what it may and after. The first of an address is
// BenchmarkRequest's.
func BenchmarkUnpaid(b *testing.B) {
	s := newBench(b, "paywall /articles/* 0.10\nfile_server")
	token, _ := s.reader(b)
	forged := token[:len(token)-20] + "AAAAAAAA" + token[len(token)-12:]
	const patient, limited = "192.0.2.1", "192.0.2.2"
	forever := newLimits(UnpaidLimit{Requests: mostUnpaid, Period: mostUnpaidPeriod}, s.app.now())
	for range defaultUnpaid * 1000 {
		s.app.limits.unpaid.add(partyAt(limited), s.app.now())
		s.app.limits.forged.add(partyAt(limited), s.app.now())
	}
	spent := s.app.limits
	for _, c := range []struct {
		what   string
		limits *limits
		from   string
		status int
		fields []string
	}{
		{"ask=html", forever, patient, http.StatusPaymentRequired, []string{"Accept", "text/html"}},
		{"ask=html/limited", spent, limited, http.StatusTooManyRequests, []string{"Accept", "text/html"}},
		{"ask=json", forever, patient, http.StatusPaymentRequired, []string{"Accept", "application/json"}},
		{"ask=json/limited", spent, limited, http.StatusTooManyRequests, []string{"Accept", "application/json"}},
		{"ask=text", forever, patient, http.StatusPaymentRequired, nil},
		{"ask=text/limited", spent, limited, http.StatusTooManyRequests, nil},
		{"forged", forever, patient, http.StatusUnauthorized, []string{"Authorization", "Bearer " + forged}},
		{"forged/limited", spent, limited, http.StatusTooManyRequests, []string{"Authorization", "Bearer " + forged}},
	} {
		b.Run(c.what, func(b *testing.B) {
			s.app.limits = c.limits
			r := s.request("/articles/1", c.fields...)
			r.RemoteAddr = c.from + ":40000"
			s.run(b, c.status, r)
		})
	}
}
