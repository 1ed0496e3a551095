package press

import (
	"strings"
	"testing"
)

func TestAPressIsItsTextWithTheValuesInIt(t *testing.T) {
	name, thing := Mark(), Mark()
	p := Cut("Dear "+name+", your "+thing+" is here. "+name+"!",
		Hole{name, Plain}, Hole{"<never there>", HTML}, Hole{thing, HTML})
	got := p.Append([]byte("> "), "Ada", "nothing of it", "R&D")
	if want := "> Dear Ada, your R&amp;D is here. Ada!"; string(got) != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if want := len("Dear , your  is here. !"); p.Size() != want {
		t.Errorf("its size is %d, want %d", p.Size(), want)
	}
}

func TestHolesMayTouchEachOtherAndBothEnds(t *testing.T) {
	p := Cut("ABA", Hole{"A", Plain}, Hole{"B", Plain})
	if got := string(p.Append(nil, "1", "2")); got != "121" {
		t.Errorf("it says %q", got)
	}
	if got := string(p.Append(nil, "", "")); got != "" {
		t.Errorf("of nothing it makes %q", got)
	}
}

// A value that looks like the mark of another hole is text like any other: the
// text is cut before a value is there.
func TestAValueIsNotReadForMarks(t *testing.T) {
	first, second := Mark(), Mark()
	p := Cut(first+" "+second, Hole{first, Plain}, Hole{second, Plain})
	if got, want := string(p.Append(nil, second, first)), second+" "+first; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestAMarkIsLeftAloneByEveryEscaper(t *testing.T) {
	mark := Mark()
	if mark == Mark() {
		t.Fatal("two marks are the same")
	}
	for name, escape := range map[string]Escape{"Plain": Plain, "HTML": HTML, "URL": URL, "JSON": JSON} {
		if got := string(escape(nil, mark)); got != mark {
			t.Errorf("%s makes it %q", name, got)
		}
	}
}

func TestAPressOfPlainValuesAllocatesNothing(t *testing.T) {
	mark, link, text := Mark(), Mark(), Mark()
	p := Cut(strings.Join([]string{mark, link, text}, " and "), Hole{mark, HTML}, Hole{link, URL}, Hole{text, JSON})
	buffer := make([]byte, 0, 256)
	allocations := testing.AllocsPerRun(100, func() { p.Append(buffer, "The Lamp", "/articles/1?a=b&c=+%20", "0.10 USD") })
	if allocations != 0 {
		t.Errorf("it allocates %v times", allocations)
	}
}
