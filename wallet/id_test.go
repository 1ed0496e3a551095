package wallet

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestAnOperationIDKeepsItsTimeToTheMillisecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		milliseconds := rapid.Int64Range(0, 1<<48-1).Draw(t, "time")
		rest := time.Duration(rapid.IntRange(0, 999_999).Draw(t, "nanoseconds"))
		id, err := NewOpID(time.UnixMilli(milliseconds).Add(rest), seeded(1))
		if err != nil || id.Time().UnixMilli() != milliseconds {
			t.Fatalf("the id of %d is of %d, %v", milliseconds, id.Time().UnixMilli(), err)
		}
		if derived := id.Derive([]byte("retry")); !derived.Time().Equal(id.Time()) {
			t.Fatalf("derived from an id of %v: %v", id.Time(), derived.Time())
		}
	})
}

// Every id is a UUID version 7 for programs that read UUIDs: version and
// variant are right whatever the other bits are.
func TestAnOperationIDIsAUUIDVersion7(t *testing.T) {
	for _, random := range []string{strings.Repeat("\x00", 10), strings.Repeat("\xff", 10), "0123456789"} {
		id := must(NewOpID(noon, strings.NewReader(random)))(t)
		for _, id := range []OpID{id, id.Derive(), id.Derive([]byte("x"))} {
			if u := must(uuid.Parse(id.String()))(t); u.Version() != 7 || u.Variant() != uuid.RFC4122 {
				t.Errorf("%s has version %d and variant %s", id, u.Version(), u.Variant())
			}
			if again := must(ParseOpID(id.String()))(t); again != id {
				t.Errorf("%s reads back as %s", id, again)
			}
		}
	}
}

// Invariant 3 rests on it: two operations never share an id, and one
// operation always has the same.
func TestOperationIDsAreDistinct(t *testing.T) {
	random, seen := seeded(1), map[OpID]string{}
	add := func(what string, id OpID) {
		if first, twice := seen[id]; twice {
			t.Fatalf("%s and %s are both %s", first, what, id)
		}
		seen[id] = what
	}
	for range 1000 {
		id := must(NewOpID(noon, random))(t)
		add("a new id", id)
		add("derived from nothing", id.Derive())
		add("from an empty part", id.Derive(nil))
		add("from two empty parts", id.Derive(nil, nil))
		add("from ab, c", id.Derive([]byte("ab"), []byte("c")))
		add("from a, bc", id.Derive([]byte("a"), []byte("bc")))
		add("from abc", id.Derive([]byte("abc")))
		add("from c, ab", id.Derive([]byte("c"), []byte("ab")))
		add("derived twice", id.Derive([]byte("abc")).Derive([]byte("abc")))
		if id.Derive([]byte("abc")) != id.Derive([]byte("abc")) {
			t.Fatal("the same parts give two ids")
		}
	}
}

func TestIDsSortByTheirTime(t *testing.T) {
	earlier := must(NewOpID(noon, strings.NewReader(strings.Repeat("\xff", 10))))(t)
	later := must(NewOpID(noon.Add(time.Millisecond), strings.NewReader(strings.Repeat("\x00", 10))))(t)
	if earlier.String() >= later.String() {
		t.Errorf("%s does not sort before %s", earlier, later)
	}
}

func TestAWalletIDIsARandomUUID(t *testing.T) {
	random, seen := seeded(1), map[WalletID]bool{}
	for range 1000 {
		id := must(NewWalletID(random))(t)
		if u := uuid.UUID(id); seen[id] || u.Version() != 4 || u.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is drawn again or has version %d", id, u.Version())
		}
		seen[id] = true
		if again := must(ParseWalletID(id.String()))(t); again != id {
			t.Fatalf("%s reads back as %s", id, again)
		}
	}
}

func TestASourceThatEndsEarlyMakesNoID(t *testing.T) {
	if id, err := NewWalletID(strings.NewReader("short")); err == nil || id != (WalletID{}) {
		t.Errorf("wallet id %s, %v", id, err)
	}
	if id, err := NewOpID(noon, strings.NewReader("short")); err == nil || id != (OpID{}) {
		t.Errorf("operation id %s, %v", id, err)
	}
}

func TestAnIDInJSONIsItsText(t *testing.T) {
	type both struct {
		Wallet WalletID
		Op     OpID
	}
	want := both{must(NewWalletID(seeded(1)))(t), must(NewOpID(noon, seeded(1)))(t)}
	text := must(json.Marshal(want))(t)
	if !strings.Contains(string(text), `"Wallet":"`+want.Wallet.String()+`"`) {
		t.Errorf("as JSON: %s", text)
	}
	var got both
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if err := json.Unmarshal([]byte(`{"Op":"`+want.Wallet.String()+`"}`), &got); err == nil {
		t.Error("a wallet id passes for an operation id")
	}
}

func TestWhatIsNoIDIsRefused(t *testing.T) {
	const good = "0196a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
	if _, err := ParseOpID(good); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "site", good[:35], good + "0", "{" + good + "}", "urn:uuid:" + good, strings.ReplaceAll(good, "-", ""),
		strings.ReplaceAll(good, "-", "_"), "g" + good[1:], good[:8] + "0" + good[9:], " " + good[1:], strings.Repeat(good, 1000),
	} {
		if id, err := ParseOpID(text); err == nil || id != (OpID{}) || len(err.Error()) > 200 {
			t.Errorf("%.50q is the operation id %s, %v", text, id, err)
		}
		if id, err := ParseWalletID(text); err == nil || id != (WalletID{}) || len(err.Error()) > 200 {
			t.Errorf("%.50q is the wallet id %s, %v", text, id, err)
		}
	}
	if _, err := ParseOpID(must(NewWalletID(seeded(1)))(t).String()); err == nil {
		t.Error("a UUID version 4 is an operation id")
	}
}

func FuzzParseIDs(f *testing.F) {
	f.Add("0196a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b")
	f.Add("0196A1B2-C3D4-4E5F-8A6B-7C8D9E0F1A2B")
	f.Add("urn:uuid:0196a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b")
	f.Add("{0196a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a}")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, text string) {
		// Programs may write the same UUID in capitals (RFC 9562 §4); it is the
		// same id, so it takes effect once all the same (invariant 3).
		if id, err := ParseOpID(text); err == nil && (id.String() != strings.ToLower(text) || id[6]>>4 != 7) {
			t.Fatalf("%q is the operation id %s", text, id)
		}
		if id, err := ParseWalletID(text); err == nil && id.String() != strings.ToLower(text) {
			t.Fatalf("%q is the wallet id %s", text, id)
		}
	})
}
