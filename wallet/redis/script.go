package redis

import (
	"embed"
	"io/fs"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var sources embed.FS

// scripts are what flights run. A script makes all its functions anew for each flight,
// which takes as long as ten charges: one that only sells does without those that sales
// have no use for.
type scripts struct {
	whole, sales *goredis.Script
}

var usual = newScripts(func(text string) string { return text })

// newScripts makes the scripts of the files, changed by tune.
func newScripts(tune func(text string) string) *scripts {
	return &scripts{
		whole: goredis.NewScript(tune(assemble(func(string) bool { return true }))),
		sales: goredis.NewScript(tune(assemble(func(file string) bool {
			return file < lastOfSales || strings.HasPrefix(file, lastOfSales) || strings.HasPrefix(file, flightFile)
		}))),
	}
}

// The files of a script that only sells are those before and with the one of sales, and
// that of the flight itself.
const (
	lastOfSales = "61-"
	flightFile  = "90-"
)

// assemble puts the files of scripts together that are wanted, in the order of their names.
func assemble(wanted func(file string) bool) string {
	names, err := fs.Glob(sources, "scripts/*.lua")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var all strings.Builder
	for _, name := range names {
		if !wanted(strings.TrimPrefix(name, "scripts/")) {
			continue
		}
		text, err := sources.ReadFile(name)
		if err != nil {
			panic(err) // it has just been listed
		}
		all.Write(text)
	}
	return all.String()
}
