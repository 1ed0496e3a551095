package ledgertest

import (
	"os"
	"testing"

	"pgregory.net/rapid"
)

// check is the testing.TB that one check of a property gives to the engine.
// What the engine takes is freed when the check ends and not when the whole
// test does, and what it finds wrong is rapid's to make smaller.
type check struct {
	testing.TB
	rt *rapid.T
}

func (c *check) Cleanup(f func())                  { c.rt.Cleanup(f) }
func (c *check) Error(args ...any)                 { c.rt.Error(args...) }
func (c *check) Errorf(format string, args ...any) { c.rt.Errorf(format, args...) }
func (c *check) Fatal(args ...any)                 { c.rt.Fatal(args...) }
func (c *check) Fatalf(format string, args ...any) { c.rt.Fatalf(format, args...) }
func (c *check) Fail()                             { c.rt.Fail() }
func (c *check) FailNow()                          { c.rt.FailNow() }
func (c *check) Failed() bool                      { return c.rt.Failed() }
func (c *check) Log(args ...any)                   { c.rt.Log(args...) }
func (c *check) Logf(format string, args ...any)   { c.rt.Logf(format, args...) }

// TempDir returns a directory that is removed when the check ends.
func (c *check) TempDir() string {
	dir, err := os.MkdirTemp("", "ledgertest")
	if err != nil {
		c.rt.Fatalf("a directory for the ledger: %v", err)
	}
	c.rt.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			c.rt.Logf("removing the ledger's directory: %v", err)
		}
	})
	return dir
}
