package caddymodule

import (
	"io"
	"sync"
)

// maxSmallBody is the size, in bytes, up to which a body goes through a buffer
// that is used again.
const maxSmallBody = 16 << 10

var smallBodies = sync.Pool{New: func() any { return new([maxSmallBody]byte) }}

// isSmall reports whether a body is known to be small: http.ServeContent, and so
// file_server, limits what it reads to the length that it has announced.
func isSmall(body io.Reader) bool {
	limited, ok := body.(*io.LimitedReader)
	return ok && limited.N <= maxSmallBody
}

// sendSmall writes a small body. The other way, ReadFrom, is for sendfile, which
// Caddy's writer of idle timeouts prevents (v2.11.9); net/http then clears 32 KB
// for each answer and sends header and body apart. Of a page of 1 KB that was a
// tenth of the processor's time.
func sendSmall(w io.Writer, body io.Reader) (int64, error) {
	buffer := smallBodies.Get().(*[maxSmallBody]byte)
	defer smallBodies.Put(buffer)
	return io.CopyBuffer(struct{ io.Writer }{w}, body, buffer[:]) // hides the writer's ReadFrom
}
