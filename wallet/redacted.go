package wallet

import (
	"fmt"
	"io"
	"log/slog"
)

const redaction = "[redacted]"

// redacted is embedded by types that hold a secret. It answers every way in
// which a value reaches a log, an error or a dump, so that none of them is
// forgotten in one type.
type redacted struct{}

func (redacted) String() string { return redaction }

func (redacted) GoString() string { return redaction }

// Format covers the verbs that pass String by, such as %d.
func (redacted) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redaction) }

func (redacted) MarshalText() ([]byte, error) { return []byte(redaction), nil }

func (redacted) LogValue() slog.Value { return slog.StringValue(redaction) }
