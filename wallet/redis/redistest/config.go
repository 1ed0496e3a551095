package redistest

import (
	"fmt"
	"strings"
)

// durable is how a server runs unless a test asks for something else.
var durable = []string{
	`appendonly yes`,
	`appendfsync always`,
	`save ""`,
	`maxmemory-policy noeviction`,
	// Without this a master waits five seconds for more replicas to come.
	`repl-diskless-sync-delay 0`,
	// What a server does at its next tick, such as taking over a file that was written
	// anew, would take a tenth of a second.
	`hz 100`,
}

// everywhere is what holds for each process at port, whatever it is.
func everywhere(port int, dir string) []string {
	return []string{
		fmt.Sprintf(`port %d`, port),
		fmt.Sprintf(`dir %q`, dir),
		`bind ` + loopback,
		`protected-mode no`,
		`daemonize no`,
		`loglevel warning`,
	}
}

// replicated is the configuration of a server that has replicas or is one, as
// any master and replica may change places.
func replicated(config []string) []string {
	ours := []string{
		// Within a second, and not ten, a master shows how far it is and notices
		// a replica that is gone.
		`repl-ping-replica-period 1`,
	}
	if password := valueOf("requirepass", config); password != "" {
		ours = append(ours, fmt.Sprintf("masterauth %q", password))
	}
	return append(ours, config...)
}

// valueOf is the value of a directive in a configuration, without quotes. The
// last one holds.
func valueOf(directive string, config []string) (value string) {
	for _, line := range config {
		if name, rest, _ := strings.Cut(line, " "); strings.EqualFold(name, directive) {
			value = strings.Trim(strings.TrimSpace(rest), `"'`)
		}
	}
	return value
}
