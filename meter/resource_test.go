package meter

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func TestOnePageIsOneResourceHoweverItIsWritten(t *testing.T) {
	for _, c := range []struct{ host, path, want string }{
		{"example.com", "/articles/1", "example.com/articles/1"},
		{"EXAMPLE.com", "/articles/1", "example.com/articles/1"},
		{"example.com.", "/articles/1", "example.com/articles/1"},
		{"example.com:443", "/articles/1", "example.com/articles/1"},
		{"example.com:80", "//articles///1", "example.com/articles/1"},
		{"localhost:8402", "/free/../articles/./1", "localhost:8402/articles/1"},
		{"example.com", "/../../articles/1", "example.com/articles/1"},
		{"example.com", "/articles/", "example.com/articles/"},
		{"example.com", "/", "example.com/"},
		{"example.com", "", "example.com/"},
		{"example.com", "/Articles/1", "example.com/Articles/1"},
	} {
		if got := Resource(c.host, c.path); got != c.want {
			t.Errorf("Resource(%q, %q) = %q, want %q", c.host, c.path, got, c.want)
		}
	}
}

// A Host header of "victim/articles" must not buy /articles/1 of host victim
// under another rule's price.
func TestAHostHeaderCannotReachIntoThePath(t *testing.T) {
	for _, host := range []string{"victim/articles", "victim#articles", "victim/../x"} {
		if got := Resource(host, "/1"); got == Resource("victim", "/articles/1") || strings.Count(got, "/") != 1 {
			t.Errorf("host %q with path /1 makes %q", host, got)
		}
	}
}

// Paying for a page whose path spells another page's shortened key must not
// open that other page.
func TestALongPathCannotBeImpersonated(t *testing.T) {
	long := "/a/" + strings.Repeat("x", 3*wallet.MaxResource)
	key := Resource("example.com", long)
	_, mark, _ := strings.Cut(key, "#")
	for _, path := range []string{"/#" + mark, "#" + mark, "/" + mark} {
		if Resource("example.com", path) == key {
			t.Errorf("path %q has the key of another page", path)
		}
	}
	if Resource("example.com", long+"y") == key {
		t.Error("two long paths have one key")
	}
}

func TestAResourceSplitsBackIntoHostAndPath(t *testing.T) {
	for _, c := range []struct{ resource, host, path string }{
		{Resource("localhost:8402", "/articles/1"), "localhost:8402", "/articles/1"},
		{Resource("example.com", "/"), "example.com", "/"},
		{"", "", ""},
	} {
		if host, path := SplitResource(c.resource); host != c.host || path != c.path {
			t.Errorf("SplitResource(%q) = %q, %q", c.resource, host, path)
		}
	}
	long := "/articles/" + strings.Repeat("x", wallet.MaxResource)
	host, path := SplitResource(Resource("example.com", long))
	if host != "example.com" || !strings.HasPrefix(path, "/articles/xxx") || !strings.HasPrefix(long, path) {
		t.Errorf("a shortened key splits into %q and %q", host, path)
	}
}

func FuzzResource(f *testing.F) {
	f.Add("example.com", "/articles/1")
	f.Add("EXAMPLE.com:443", "//a/../\xff/")
	f.Add("h#/", "/#"+strings.Repeat("a", 600))
	f.Fuzz(func(t *testing.T, host, path string) {
		key := Resource(host, path)
		if key == "" || len(key) > wallet.MaxResource {
			t.Fatalf("a key of %d bytes", len(key))
		}
		if !utf8.ValidString(key) {
			t.Fatalf("%q is not UTF-8 and would change in JSON", key)
		}
		if again := Resource(host, path); again != key {
			t.Fatalf("%q then %q", key, again)
		}
		if h, p := SplitResource(key); !strings.Contains(key, "#") && Resource(h, p) != key {
			t.Fatalf("%q splits into %q and %q, which is another resource", key, h, p)
		}
	})
}
