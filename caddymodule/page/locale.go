package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// locale is how one language writes numbers. Its words are in lang/<tag>.json.
type locale struct {
	tag         string
	name        string // in the language itself
	point       string // between whole and fraction
	group       string // between thousands
	symbolFirst bool   // "$1", not "1 $"
	zeroIsOne   bool   // "0 visite", not "0 visites"
}

// No-break spaces, so that an amount is never torn apart at the end of a line.
const (
	space       = "\u00a0"
	narrowSpace = "\u202f"
	minus       = "\u2212"
)

// locales are the languages of the pages. The patterns follow CLDR, but for
// one thing: Italian groups from four digits on, like the others.
var locales = []locale{
	{tag: "en", name: "English", point: ".", group: ",", symbolFirst: true},
	{tag: "fr", name: "Français", point: ",", group: narrowSpace, zeroIsOne: true},
	{tag: "it", name: "Italiano", point: ",", group: "."},
}

// localeOf returns the locale of a tag that [Language] gave, else English.
func localeOf(tag string) locale {
	for _, l := range locales {
		if l.tag == tag {
			return l
		}
	}
	return locales[0]
}

// count writes a number with grouped thousands.
func (l locale) count(n int) string { return l.number(strconv.Itoa(n)) }

// number writes a plain decimal such as "-1234.5" the way the language does.
func (l locale) number(plain string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(plain, "-"); negative {
		sign, plain = minus, rest
	}
	whole, fraction, hasFraction := strings.Cut(plain, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(l.group)
		}
		b.WriteRune(digit)
	}
	if hasFraction {
		b.WriteString(l.point + fraction)
	}
	return b.String()
}

// plural is the ending of a catalogue key for n things.
func (l locale) plural(n int) string {
	if n == 1 || n == 0 && l.zeroIsOne {
		return ".one"
	}
	return ".other"
}

// date writes a day, in UTC: "2 Nov 2026".
func (l locale) date(t time.Time) (string, error) {
	t = t.UTC()
	month, err := l.text("month." + strconv.Itoa(int(t.Month())))
	return fmt.Sprintf("%d%s%s %d", t.Day(), space, month, t.Year()), err
}

// moment writes a minute, in UTC: "2 Nov 2026, 14:03 UTC". A reader's own time
// zone is not known without a script.
func (l locale) moment(t time.Time) (string, error) {
	day, err := l.date(t)
	return day + ", " + t.UTC().Format("15:04") + space + "UTC", err
}

// duration writes a length of time in the largest unit that says it exactly:
// "24 hours", "7 days". Fractions of a second are dropped.
func (l locale) duration(d time.Duration) (string, error) {
	units := []struct {
		key  string
		unit time.Duration
		from time.Duration
	}{
		{"days", 24 * time.Hour, 48 * time.Hour}, // "24 hours" cannot be mistaken for "until midnight"
		{"hours", time.Hour, time.Hour},
		{"minutes", time.Minute, time.Minute},
	}
	for _, u := range units {
		if d >= u.from && d%u.unit == 0 {
			return l.things(u.key, int(d/u.unit))
		}
	}
	return l.things("seconds", int(d/time.Second))
}

// things writes n and what they are: "1 visit", "10 visits".
func (l locale) things(key string, n int) (string, error) {
	return l.text(key+l.plural(n), "n", l.count(n))
}

// visitsChanged writes a change of visits with its sign: "+10 visits".
func (l locale) visitsChanged(n int) (string, error) {
	sign := "+"
	if n < 0 {
		sign, n = minus, -n
	}
	visits, err := l.things("visits", n)
	return sign + visits, err
}
