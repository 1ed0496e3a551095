package caddymodule

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestASmallBodyIsSentWhole(t *testing.T) {
	for _, size := range []int{0, 1, 1024, maxSmallBody - 1, maxSmallBody} {
		whole := strings.Repeat("x", size)
		body := io.LimitReader(strings.NewReader(whole+"more"), int64(size))
		if !isSmall(body) {
			t.Errorf("a body of %d bytes is not small", size)
		}
		var sent bytes.Buffer
		if n, err := sendSmall(&sent, body); n != int64(size) || err != nil || sent.String() != whole {
			t.Errorf("of %d bytes %d are sent, %v", size, n, err)
		}
	}
	if isSmall(io.LimitReader(strings.NewReader(""), maxSmallBody+1)) || isSmall(strings.NewReader("")) {
		t.Error("a body of any length is small")
	}
}
