package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// exportPatience is how long a client of an export may read nothing. The ledger
// cannot be closed meanwhile.
const exportPatience = time.Minute

// exporter serves what has happened in the ledger, as package history writes it:
// as long as it is, and so not as JSON in one piece. An answer that fails in the
// middle is broken off, so that nobody takes it for a whole one.
func (api *adminAPI) exporter() caddy.AdminHandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return api.serve(w, r, func(c *operatorCall) error {
			w.Header().Set("Content-Type", "application/jsonl")
			out := &patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}
			defer out.until(time.Time{})
			_, err := history.Write(r.Context(), out, c.ledger, c.currency)
			if err != nil && out.begun {
				c.logger.Error("an export was broken off", zap.Error(err))
				panic(http.ErrAbortHandler)
			}
			return err
		})
	}
}

// patientWriter gives each piece of an answer its time.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func (w *patientWriter) Write(b []byte) (int, error) {
	w.begun = true
	w.until(time.Now().Add(exportPatience))
	return w.ResponseWriter.Write(b)
}

// until sets when the client must have read; zero: whenever it likes.
func (w *patientWriter) until(deadline time.Time) {
	_ = w.control.SetWriteDeadline(deadline) // only a test's writer has none
}

// errNoHistory: the engine is one that money cannot be moved out of.
var errNoHistory = errors.New("the ledger's engine cannot tell its history, so it cannot be exported")

// historyOf is what an open ledger can tell of itself.
func historyOf(l wallet.Ledger) (history.Ledger, error) {
	if source, ok := l.(history.Ledger); ok {
		return source, nil
	}
	return nil, fmt.Errorf("%w (%T)", errNoHistory, l)
}

// History implements history.Source.
func (p *pooledLedger) History(ctx context.Context, yield func(history.Deed) error) error {
	_, err := query(ctx, p, yield, func(l wallet.Ledger, ctx context.Context, yield func(history.Deed) error) (none struct{}, err error) {
		source, err := historyOf(l)
		if err != nil {
			return none, err
		}
		return none, source.History(ctx, yield)
	})
	return err
}

// Interface guard
var _ history.Ledger = (*pooledLedger)(nil)
