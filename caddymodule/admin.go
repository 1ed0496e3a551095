package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func init() {
	caddy.RegisterModule(new(adminAPI))
}

const adminPrefix = "/paywall/"

// startingText is what the routes answer while no configuration runs yet. The
// commands know it: Caddy's client hands an answer on as text only.
const startingText = "Caddy is still starting"

// adminAPI is the operator's routes on Caddy's admin endpoint, which the
// command caddy paywall calls. The endpoint itself lets every local process in,
// so each route asks for the operator's credential, also to read: balances are
// nobody else's business. Everything is in the body, because the endpoint logs
// every URI.
type adminAPI struct{}

// CaddyModule returns the Caddy module information.
func (*adminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.paywall", New: func() caddy.Module { return new(adminAPI) }}
}

// Routes implements caddy.AdminRouter.
func (api *adminAPI) Routes() []caddy.AdminRoute {
	operations := map[string]func(*operatorCall) (any, error){
		"vouchers/create": (*operatorCall).createVouchers,
		"vouchers/list":   (*operatorCall).listVouchers,
		"vouchers/void":   (*operatorCall).voidVoucher,
		"wallets/list":    (*operatorCall).listWallets,
		"wallets/show":    (*operatorCall).showWallet,
		"wallets/credit":  (*operatorCall).creditWallet,
		"wallets/freeze":  (*operatorCall).freezeWallet,
		"kiosks/enrol":    (*operatorCall).enrolKiosk,
		"kiosks/list":     (*operatorCall).listKiosks,
		"kiosks/disable":  (*operatorCall).disableKiosk,
		"report":          (*operatorCall).report,
		"verify":          (*operatorCall).verify,
	}
	routes := make([]caddy.AdminRoute, 0, len(operations))
	for path, operation := range operations {
		routes = append(routes, caddy.AdminRoute{Pattern: adminPrefix + path, Handler: api.handler(operation)})
	}
	return append(routes, caddy.AdminRoute{Pattern: adminPrefix + "export", Handler: api.exporter()})
}

// operatorCall is one authenticated request of the operator.
type operatorCall struct {
	*App
	keys   *keys
	ledger lease
	r      *http.Request
	input  operatorInput
}

func (api *adminAPI) handler(operation func(*operatorCall) (any, error)) caddy.AdminHandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		var result any
		err := api.serve(w, r, func(c *operatorCall) (err error) {
			result, err = operation(c)
			return err
		})
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(result)
	}
}

// serve lets the operator do something.
func (api *adminAPI) serve(w http.ResponseWriter, r *http.Request, operation func(*operatorCall) error) error {
	if r.Method != http.MethodPost {
		return adminError(http.StatusMethodNotAllowed, "use POST")
	}
	// The app of the configuration that runs: after a failed reload Caddy keeps
	// the admin endpoint of the one that does not.
	running, err := runningConfiguration(r.Context())
	if err != nil {
		return err
	}
	app, err := running.AppIfConfigured(appName)
	if err != nil {
		return adminError(http.StatusNotFound, "the running configuration has no paywall")
	}
	c := &operatorCall{App: app.(*App), r: r}
	if c.keys, err = c.open(); err != nil {
		return adminError(http.StatusServiceUnavailable, err.Error())
	}
	credential, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found || !c.keys.isOperator(credential) {
		return adminError(http.StatusForbidden,
			"this needs the operator's credential, from the file "+operatorFile+" in the paywall folder of Caddy's data directory")
	}
	if err := readJSON(http.MaxBytesReader(w, r.Body, maxBody), &c.input); err != nil {
		return adminError(http.StatusBadRequest, "the body must be one JSON object with the fields of this operation")
	}
	if c.ledger, err = c.lease(); err != nil {
		return adminError(http.StatusServiceUnavailable, err.Error())
	}
	defer c.ledger.release()
	return asAdminError(operation(c))
}

// startPatience is how long a route waits for the configuration to run.
const startPatience = 2 * time.Second

// runningConfiguration waits for it: the endpoint and the site listen before it runs, so
// that whoever asks when the first page is there would come too early.
func runningConfiguration(ctx context.Context) (caddy.Context, error) {
	for deadline := time.Now().Add(startPatience); ; {
		running := caddy.ActiveContext()
		switch {
		case running.Context != nil:
			return running, nil
		case ctx.Err() != nil || time.Now().After(deadline):
			return running, adminError(http.StatusServiceUnavailable, startingText)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func adminError(status int, text string) error {
	return caddy.APIError{HTTPStatus: status, Err: errors.New(text)}
}

// asAdminError gives an error of an operation its status.
func asAdminError(err error) error {
	var api caddy.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api):
		return err
	case errors.Is(err, wallet.ErrNotFound):
		return adminError(http.StatusNotFound, err.Error())
	case errors.Is(err, wallet.ErrInvalid), errors.Is(err, wallet.ErrAmount):
		return adminError(http.StatusBadRequest, err.Error())
	}
	return adminError(http.StatusServiceUnavailable, err.Error())
}

// outcomeError is what the operator is told of an operation that changed
// nothing.
func outcomeError(o wallet.Outcome, about string) error {
	status := http.StatusConflict
	if o == wallet.NotFound {
		status = http.StatusNotFound
	}
	return adminError(status, about+": "+o.String())
}

// Interface guard
var _ caddy.AdminRouter = (*adminAPI)(nil)
