package redis

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed library/*.lua
var sources embed.FS

// library is the functions on the servers that carry out flights. Its name is that of
// its text: two versions of this program may have one Redis.
//
// It is a library and not a script because a script makes all its functions anew
// whenever it runs, which takes as long as thirty charges.
type library struct {
	name, text string
}

var usual = newLibrary(func(text string) string { return text })

// newLibrary makes the library of the files, in the order of their names, changed by tune.
func newLibrary(tune func(text string) string) *library {
	names, err := fs.Glob(sources, "library/*.lua")
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
	text := tune(all.String())
	sum := sha256.Sum256([]byte(text))
	name := "paywall_" + hex.EncodeToString(sum[:8])
	return &library{name: name, text: strings.NewReplacer("NAME", name, "FILES", text).Replace(libraryText)}
}

// libraryText is what stands around the files. When a server loads a library, next to nothing
// of Lua is there: the files wait for the first flight.
const libraryText = `#!lua name=NAME
local fly

local function make()
FILES
return fly
end

redis.register_function({
	function_name = 'NAME',
	callback = function(keys, arguments)
		fly = fly or make()
		return fly(keys, arguments, false)
	end,
})
redis.register_function({
	function_name = 'NAME_look',
	callback = function(keys, arguments)
		fly = fly or make()
		return fly(keys, arguments, true)
	end,
	flags = { 'no-writes' },
})
`

// flies is the function that carries a flight out, and looks the one for flights that
// change nothing, where a server takes no writes.
func (l *library) flies() string { return l.name }
func (l *library) looks() string { return l.name + "_look" }

// load gives the library to a server, which keeps it with its data and gives it to its
// replicas.
func (l *library) load(ctx context.Context, c *goredis.Client) error {
	err := c.FunctionLoad(ctx, l.text).Err()
	if err != nil && strings.HasSuffix(err.Error(), "already exists") {
		return nil
	}
	return err
}

// notLoaded is how a server begins that does not have the library.
const notLoaded = "ERR Function not found"
