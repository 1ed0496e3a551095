//go:build unix

package paywall_test

import (
	"net"
	"strings"
	"testing"
)

// The sample has a script of each kind.
func TestAReadmeIsReadAsItIsFollowed(t *testing.T) {
	blocks := parseReadme(readText(t, "testdata/readme/README.md"))
	visitor := newVisitor(t, "testdata/readme")
	for i, want := range []struct{ script, complaint string }{
		{"make run", ""},
		{"echo one; echo two", ""},
		{`echo "The voucher is $VOUCHER"`, ""},
		{"false | true", "exit status 1"},
		{"echo alone", `line 1 is "alone", not "together"`},
		{"echo unasked", ""},
	} {
		if i >= len(blocks) || blocks[i].script != want.script {
			t.Fatalf("script %d of %+v is not %q", i, blocks, want.script)
		}
		if i == 0 {
			visitor.startDemo(want.script)
			continue
		}
		complaints := strings.Join(visitor.follow(blocks[i]), "\n")
		if !strings.Contains(complaints, want.complaint) || (want.complaint == "") != (complaints == "") {
			t.Errorf("of %q it is said: %q, want %q", want.script, complaints, want.complaint)
		}
	}
}

func TestAPortInUseIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := portInUse(port); err == nil || !strings.Contains(err.Error(), port) {
		t.Errorf("of port %s, which is in use, it is said: %v", port, err)
	}
	l.Close()
	if err := portInUse(port); err != nil {
		t.Errorf("port %s is free again: %v", port, err)
	}
}

func TestAnOutputIsComparedLineByLine(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"one\ntwo", "one\ntwo\n", true},
		{"one\ntwo", "one\r\ntwo \r\n\r\n", true},
		{"a … c", "a b c", true},
		{"…", "", true},
		{"…", "anything", true},
		{"a…b…c", "a1b2c", true},
		{"a…b…c", "abc", true},
		{"one\n…\nthree", "one\n2\nthree", true},

		{"one", "one\ntwo", false},
		{"one\ntwo", "one", false},
		{"one\ntwo", "two\none", false},
		{"one", "one more", false},
		{"one", "no one", false},
		{"a…b…c", "a1c2b", false},
		{"a…a", "a", false},
		{"…", "two\nlines", false},
		{"a.c", "abc", false},
	} {
		if wrong := difference(c.want, c.got); (wrong == "") != c.same {
			t.Errorf("%q and %q: %q", c.want, c.got, wrong)
		}
	}
}
