package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// line is a series as the table shows it.
type line struct {
	Site        string  `json:"site"`
	Connections int     `json:"connections"`
	Name        string  `json:"name"`
	Bare        bool    `json:"bare"`
	Runs        int     `json:"runs"`
	Rate        float64 `json:"rate"` // answers a second; a median, as all that follows
	Ratio       float64 `json:"ratio"`
	Least       float64 `json:"least_ratio"`
	Greatest    float64 `json:"greatest_ratio"`
	CPURatio    float64 `json:"cpu_ratio"`
	P50         float64 `json:"p50_us"`
	P99         float64 `json:"p99_us"`
	ServerCPU   float64 `json:"server_cpu_us"`
	UpstreamCPU float64 `json:"upstream_cpu_us"`
	LedgerCPU   float64 `json:"redis_cpu_us,omitempty"`
	WrkCPU      float64 `json:"wrk_cpu_us"`
	Commands    float64 `json:"redis_commands,omitempty"`
}

// summary is the lines of all series. A group's bare series comes first.
func summary(all []*series) (lines []line) {
	for _, s := range all {
		of := func(value func(sample) float64) float64 {
			values := make([]float64, 0, len(s.Samples))
			for _, one := range s.Samples {
				values = append(values, value(one))
			}
			return median(values)
		}
		l := line{
			Site: s.Site, Connections: s.Connections, Name: s.Name, Bare: s.Bare, Runs: len(s.Samples),
			Rate:        of(func(one sample) float64 { return one.Rate }),
			P50:         of(func(one sample) float64 { return one.P50 }),
			P99:         of(func(one sample) float64 { return one.P99 }),
			ServerCPU:   of(func(one sample) float64 { return one.ServerCPU }),
			UpstreamCPU: of(func(one sample) float64 { return one.UpstreamCPU }),
			LedgerCPU:   of(func(one sample) float64 { return one.LedgerCPU }),
			WrkCPU:      of(func(one sample) float64 { return one.WrkCPU }),
			Commands:    of(func(one sample) float64 { return one.Commands }),
		}
		if s.Bare {
			l.Name = "bare, " + s.who.String()
			l.Ratio, l.Least, l.Greatest, l.CPURatio = 1, 1, 1, 1
		} else {
			l.Ratio, l.Least, l.Greatest = median(s.Ratios), slices.Min(s.Ratios), slices.Max(s.Ratios)
			l.CPURatio = median(s.Spared)
		}
		lines = append(lines, l)
	}
	return lines
}

// median is of at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// writeTable writes the lines as one Markdown table.
func writeTable(w io.Writer, lines []line) {
	onRedis := slices.ContainsFunc(lines, func(l line) bool { return l.LedgerCPU > 0 })
	columns, between, commands := 12, "", ""
	if onRedis {
		columns, between, commands = columns+2, " Redis CPU µs/req |", " Redis commands/req |"
	}
	fmt.Fprintf(w, "| site | conns | request | req/s | of bare (min–max) | by CPU | p50 µs | p99 µs | server CPU µs/req | upstream CPU µs/req |%s wrk CPU µs/req |%s runs |\n",
		between, commands)
	fmt.Fprintln(w, strings.Repeat("|---", columns)+"|")
	for _, l := range lines {
		ratio := fmt.Sprintf("**%.3f** (%.3f–%.3f)", l.Ratio, l.Least, l.Greatest)
		if l.Bare {
			ratio = "1"
		}
		if onRedis {
			between, commands = fmt.Sprintf(" %.1f |", l.LedgerCPU), fmt.Sprintf(" %.2f |", l.Commands)
		}
		fmt.Fprintf(w, "| %s | %d | %s | %.0f | %s | %.3f | %.0f | %.0f | %.1f | %.1f |%s %.1f |%s %d |\n",
			l.Site, l.Connections, l.Name, l.Rate, ratio, l.CPURatio, l.P50, l.P99, l.ServerCPU, l.UpstreamCPU, between, l.WrkCPU, commands, l.Runs)
	}
}
