//go:build unix

package paywall_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The README's commands are run as they stand, by somebody who has just got the
// repository and has nothing else: every block fenced as sh, in order, in a
// fresh copy. The first one starts the demo, and the others talk to it. A block
// fenced as text right behind one is what it prints.
func TestTheCommandsOfTheReadmeWork(t *testing.T) {
	blocks := parseReadme(readText(t, "README.md"))
	if len(blocks) < 3 || blocks[0].script != "make run" {
		t.Fatalf("README.md has %d blocks fenced as sh; the first has to be make run", len(blocks))
	}
	for _, port := range []string{"8402", "2019"} {
		if err := portInUse(port); err != nil {
			t.Fatal(err)
		}
	}
	visitor := newVisitor(t, copyOfRepository(t))
	visitor.startDemo(blocks[0].script)
	wantBuildSettings(t, filepath.Join(visitor.dir, "bin", "caddy"))
	ran := 0
	for _, b := range blocks[1:] {
		if strings.Contains(b.script, "make test") {
			wantCI(t, b.script)
			continue
		}
		ran++
		for _, complaint := range visitor.follow(b) {
			t.Error(complaint)
		}
	}
	if ran == 0 {
		t.Error("README.md has no commands but make run and make test")
	}
}

// wantCI makes sure that CI runs what the README says: the test command cannot
// run itself here.
func wantCI(t *testing.T, command string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(readText(t, ".ci/run")), "\n")
	if last := lines[len(lines)-1]; last != "exec "+command && last != command {
		t.Errorf("README.md says %q, .ci/run does %q", command, last)
	}
}

// portInUse is an error if somebody listens on a port that the README's commands
// name.
func portInUse(port string) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return fmt.Errorf("the README's commands need port %s: %w. Stop what listens there", port, err)
	}
	return l.Close()
}

// copyOfRepository is a directory with everything that a clone of the working
// tree as it is would have.
func copyOfRepository(t *testing.T) (dir string) {
	t.Helper()
	names, err := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("git ls-files, to copy the repository: %v", err)
	}
	dir = t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		if err := copyFile(name, filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) { // deleted, and not yet committed
			t.Fatal(err)
		}
	}
	return dir
}

func copyFile(from, to string) error {
	stat, err := os.Stat(from)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, stat.Mode().Perm())
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a script of a README.
type block struct {
	line   int // where it stands
	script string
	prints *string // nil: the README does not say
}

// parseReadme finds the blocks fenced as sh, each with the block fenced as text
// that has nothing but empty lines before it.
func parseReadme(text string) (blocks []block) {
	var fence string // of the block that the line is in
	var inside []string
	prints := false // whether a text block would be what the last script prints
	for number, line := range strings.Split(text, "\n") {
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence, inside = line, nil
			if fence == "```sh" {
				blocks = append(blocks, block{line: number + 1})
			}
		case fence != "" && line == "```":
			content := strings.Join(inside, "\n")
			switch {
			case fence == "```sh":
				blocks[len(blocks)-1].script = content
			case fence == "```text" && prints:
				blocks[len(blocks)-1].prints = &content
			}
			prints, fence = fence == "```sh", ""
		case fence != "":
			inside = append(inside, line)
		case line != "":
			prints = false
		}
	}
	return blocks
}

// difference says where a script's output is not what the README says; empty:
// nowhere. In a line of the README the sign … stands for anything.
func difference(want, got string) string {
	wanted, printed := outputLines(want), outputLines(got)
	for i, line := range wanted {
		if i >= len(printed) {
			return fmt.Sprintf("line %d is missing: %q", i+1, line)
		}
		if !matches(line, printed[i]) {
			return fmt.Sprintf("line %d is %q, not %q", i+1, printed[i], line)
		}
	}
	if len(printed) > len(wanted) {
		return fmt.Sprintf("line %d is too much: %q", len(wanted)+1, printed[len(wanted)])
	}
	return ""
}

// outputLines splits an output. Spaces at the end of a line, such as the
// carriage returns of HTTP, cannot be seen in a README.
func outputLines(text string) []string {
	lines := strings.Split(strings.TrimRight(text, " \r\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \r")
	}
	return lines
}

func matches(pattern, line string) bool {
	parts := strings.Split(pattern, "…")
	rest, found := strings.CutPrefix(line, parts[0])
	if !found || len(parts) == 1 {
		return found && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, rest, found = strings.Cut(rest, part); !found {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
