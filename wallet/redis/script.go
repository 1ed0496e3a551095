package redis

import (
	"embed"
	"io/fs"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var sources embed.FS

// script is the one script that every flight runs.
var script = goredis.NewScript(assemble())

// assemble puts the files of scripts together, in the order of their names.
func assemble() string {
	names, err := fs.Glob(sources, "scripts/*.lua")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var all strings.Builder
	for _, name := range names {
		text, err := sources.ReadFile(name)
		if err != nil {
			panic(err) // it has just been listed
		}
		all.Write(text)
	}
	return all.String()
}
