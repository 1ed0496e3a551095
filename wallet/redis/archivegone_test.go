//go:build !windows

package redis

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Windows lets nobody move a directory in which a file is open.

// What is written to a file that is no longer in its directory would be trimmed, and
// gone when the process ends (invariant 5).
func TestADirectoryThatDisappearsTakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive")
	a := attached(t, path)
	mustAppend(t, a, 0, someEntries("a", 1, 3))
	if err := os.Rename(path, path+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := a.Append(context.Background(), 0, someEntries("a", 4, 5)); err == nil {
		t.Error("appended to an archive that is gone")
	}
	if _, err := a.Last(context.Background(), 0); err == nil {
		t.Error("an archive that is gone answers")
	}
	if err := os.CopyFS(path, os.DirFS(path+".gone")); err != nil {
		t.Fatal(err)
	}
	if err := a.Append(context.Background(), 0, someEntries("a", 4, 5)); err == nil {
		t.Error("appended to an archive with a copy in its place")
	}
	if err := errors.Join(os.RemoveAll(path), os.Rename(path+".gone", path)); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, a, 0, someEntries("a", 4, 5))
	mustRead(t, a, 0, someEntries("a", 1, 5))
}
