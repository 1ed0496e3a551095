package page

import (
	"testing"
	"time"
)

func TestDurationsAreSaidInWords(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		lang string
		d    time.Duration
		want string
	}{
		{"en", day, "24 hours"},
		{"en", time.Hour, "1 hour"},
		{"en", 90 * time.Minute, "90 minutes"},
		{"en", 36 * time.Hour, "36 hours"},
		{"en", 2 * day, "2 days"},
		{"en", 7 * day, "7 days"},
		{"en", 3660 * day, "3,660 days"},
		{"en", time.Minute, "1 minute"},
		{"en", time.Second, "1 second"},
		{"en", 90 * time.Second, "90 seconds"},
		{"en", 1500 * time.Millisecond, "1 second"},
		{"en", 0, "0 seconds"},
		{"fr", day, "24 heures"},
		{"fr", 0, "0 seconde"},
		{"fr", time.Minute, "1 minute"},
		{"it", 30 * day, "30 giorni"},
		{"it", time.Hour, "1 ora"},
	} {
		if got, err := localeOf(c.lang).duration(c.d); err != nil || got != c.want {
			t.Errorf("%v in %s is %q (%v), want %q", c.d, c.lang, got, err, c.want)
		}
	}
}

func TestDatesAndTimesAreInUTC(t *testing.T) {
	evening := time.Date(2026, time.August, 31, 23, 30, 0, 0, time.FixedZone("west", -5*3600))
	for lang, want := range map[string]string{
		"en": "1\u00a0Sep 2026, 04:30\u00a0UTC",
		"fr": "1\u00a0sept. 2026, 04:30\u00a0UTC",
		"it": "1\u00a0set 2026, 04:30\u00a0UTC",
	} {
		if got, err := localeOf(lang).moment(evening); err != nil || got != want {
			t.Errorf("in %s %q (%v), want %q", lang, got, err, want)
		}
	}
	for _, l := range locales {
		for month := time.January; month <= time.December; month++ {
			if _, err := l.date(time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)); err != nil {
				t.Errorf("%s in %s: %v", month, l.tag, err)
			}
		}
	}
}

func TestVisitsAreCountedWithTheirSign(t *testing.T) {
	for _, c := range []struct {
		lang string
		n    int
		want string
	}{
		{"en", -1, "\u22121 visit"}, {"en", 10, "+10 visits"}, {"en", 1000000, "+1,000,000 visits"},
		{"fr", -1, "\u22121 visite"}, {"fr", 2, "+2 visites"},
		{"it", -1, "\u22121 visita"}, {"it", 10, "+10 visite"},
	} {
		if got, err := localeOf(c.lang).visitsChanged(c.n); err != nil || got != c.want {
			t.Errorf("%d in %s is %q (%v), want %q", c.n, c.lang, got, err, c.want)
		}
	}
}
