package paywall_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// moneyRooms is where a binary fraction would sooner or later lose a millionth
// (invariant 1).
var moneyRooms = []string{"wallet", "meter"}

func TestMoneyIsNeverAFloat(t *testing.T) {
	files := 0
	for _, room := range moneyRooms {
		err := filepath.WalkDir(room, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			found, err := floats(path, nil)
			for _, at := range found {
				t.Errorf("%s: money is counted in wallet.Amount", at)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < len(moneyRooms) {
		t.Errorf("only %d files were read, so nothing was proved", files)
	}
}

func TestAFloatIsFoundHoweverItIsWritten(t *testing.T) {
	for source, want := range map[string]int{
		`var x int64 = 3`:                  0,
		`const s = "0.10" // a float64`:    0,
		`var x float64`:                    1,
		`func f(prices []float32) {}`:      1,
		`type price = float64`:             1,
		`var x = 0.1`:                      1,
		`var x = 1e3`:                      1,
		`var x = amount.InexactFloat64()`:  1,
		`var x = decimal.NewFromFloat(y)`:  1,
		`var x = strconv.ParseFloat(s, n)`: 1,
		`var x = map[string]float64{}[k]`:  1,
	} {
		found, err := floats("source.go", "package p\n"+source)
		if err != nil || len(found) != want {
			t.Errorf("%s: found %v, %v; want %d", source, found, err, want)
		}
	}
}

// floats are the places of a Go file where a floating-point type, number or
// conversion is named. A source of nil reads the file.
func floats(path string, source any) (found []string, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.Ident:
			if strings.Contains(strings.ToLower(n.Name), "float") {
				found = append(found, fmt.Sprintf("%s: %s", set.Position(n.Pos()), n.Name))
			}
		case *ast.BasicLit:
			if n.Kind == token.FLOAT {
				found = append(found, fmt.Sprintf("%s: %s", set.Position(n.Pos()), n.Value))
			}
		}
		return true
	})
	return found, nil
}
