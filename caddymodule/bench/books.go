package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
)

// answersMetric counts what became of requests for priced pages.
const answersMetric = "caddy_paywall_answers_total{"

// outcomes asks the paywall how many answers it has counted as an outcome.
func (s *stand) outcomes(ctx context.Context, outcome string) (sum int, err error) {
	for _, c := range s.paywalls {
		count, err := c.outcomes(ctx, outcome)
		if err != nil {
			return 0, err
		}
		sum += count
	}
	return sum, nil
}

func (c *caddy) outcomes(ctx context.Context, outcome string) (count int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.debug+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		labels, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), answersMetric), "} ")
		if !found || !strings.HasPrefix(lines.Text(), answersMetric) || !strings.Contains(labels, `outcome="`+outcome+`"`) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		count += int(n)
	}
	return count, nil
}

// entries is how many entries the ledger has. One on Redis is asked for the views
// that the site was paid for: to verify its journal takes minutes, and is done once
// it is all over.
func (s *stand) entries(ctx context.Context) (int, error) {
	if s.redis != nil {
		return s.redis.sold(ctx, crowdPrice)
	}
	return s.verify(ctx)
}

// verify has every balance recomputed from the journal, and returns how many
// entries the ledger has.
func (s *stand) verify(ctx context.Context) (int, error) {
	command := exec.CommandContext(ctx, s.programs.paywall, "paywall", "verify", "--json", "--address", s.paywalls[0].admin)
	command.Env = s.paywalls[0].env
	out, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("caddy paywall verify: %w\n%s", err, out)
	}
	var audit struct {
		OK      bool
		Entries int
	}
	if err := json.Unmarshal(out, &audit); err != nil {
		return 0, err
	}
	if !audit.OK {
		return 0, fmt.Errorf("the money does not add up: %s", out)
	}
	return audit.Entries, nil
}

// books is what is counted besides the answers: before and after a run.
type books struct {
	outcomes, entries int
}

// look reads the books before a run, as far as the row is about them. The
// entries are those found last: what has made some since then was no row that
// pays, and is found out by the next one that does.
func (s *stand) look(ctx context.Context, r row) (b books, err error) {
	b.entries = s.known
	if r.outcome != "" {
		b.outcomes, err = s.outcomes(ctx, r.outcome)
	}
	return b, err
}

// lookAgain reads the books after a run: the entries only where the row pays,
// because that reads the whole journal.
func (s *stand) lookAgain(ctx context.Context, r row) (b books, err error) {
	if b, err = s.look(ctx, r); err != nil || !r.fresh {
		return b, err
	}
	b.entries, err = s.entries(ctx)
	s.known = b.entries
	return b, err
}

// agree finds what the answers that wrk has counted do not explain.
func (r row) agree(before, after books, answers int) error {
	if got := after.outcomes - before.outcomes; r.outcome != "" && got != answers {
		return fmt.Errorf("the paywall has counted %d answers as %s, and wrk %d answers", got, r.outcome, answers)
	}
	if got := after.entries - before.entries; r.fresh && got != answers {
		return fmt.Errorf("the ledger has %d entries more, and wrk has counted %d answers", got, answers)
	}
	return nil
}
