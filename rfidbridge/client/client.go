// Package client is how a kiosk talks to its paywall: it enrols, signs each request, and
// tells an answer from silence.
//
// It promises that no request is signed with a number that was used before, that requests
// reach the paywall in the order of their numbers, and that no key is printed. An error that
// is no [RefusalError] says that nobody knows what became of the request: the same tap is sent
// again, and counts once. It does not know cards, and keeps no journal.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Timeout is how long one answer is waited for.
const Timeout = 5 * time.Second

// RefusalError is an answer that is no success: the paywall has read the request, and done
// nothing.
type RefusalError struct {
	Status int
	Detail string
}

func (r RefusalError) Error() string {
	return fmt.Sprintf("the paywall refuses (%d): %s", r.Status, r.Detail)
}

// ErrUncertain is no answer, or one of a server that cannot: nobody knows what became of
// the request.
var ErrUncertain = errors.New("the paywall does not answer")

// Client sends a kiosk's requests, one at a time. It is safe for concurrent use.
type Client struct {
	id   *Identity
	site *url.URL
	http *http.Client
	now  func() time.Time

	turn chan struct{} // has one in it for whoever asks: requests arrive in the order of their numbers
}

// New is the client of a kiosk. transport is how it connects; nil: as usual.
func New(id *Identity, transport http.RoundTripper) (*Client, error) {
	site, err := parseSite(id.Site)
	if err != nil {
		return nil, err
	}
	return &Client{id: id, site: site, http: newHTTP(transport), now: time.Now, turn: make(chan struct{}, 1)}, nil
}

func newHTTP(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport, Timeout: Timeout,
		// A redirect would take a signed request elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func parseSite(text string) (*url.URL, error) {
	site, err := url.Parse(text)
	if err != nil || site.Scheme != "https" && site.Scheme != "http" || site.Host == "" || strings.Trim(site.Path, "/") != "" || site.User != nil {
		return nil, errors.New("the paywall's address must be that of a site, such as https://news.example")
	}
	return &url.URL{Scheme: site.Scheme, Host: strings.ToLower(site.Host)}, nil
}

// Enrol makes this machine the kiosk that a code is for, and keeps its identity in a file.
func Enrol(ctx context.Context, site, code, path string, transport http.RoundTripper) (*Identity, error) {
	where, err := parseSite(site)
	if err != nil {
		return nil, err
	}
	id, err := newIdentity(path, where.String(), rand.Reader)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(wire.Enrol{Code: code, Key: id.public()})
	if err != nil {
		return nil, err
	}
	var enrolled wire.Enrolled
	if err := send(ctx, newHTTP(transport), where, wire.EnrolPath, "", body, &enrolled); err != nil {
		return nil, err
	}
	if !wire.IsName(enrolled.Kiosk) {
		return nil, fmt.Errorf("%w: its answer does not read", ErrUncertain)
	}
	id.Kiosk = enrolled.Kiosk
	return id, id.save(0)
}

// State tells the paywall how the kiosk is, and learns what there is to buy.
func (c *Client) State(ctx context.Context, s wire.State) (p wire.Policy, err error) {
	return p, c.ask(ctx, wire.StatePath, s, &p)
}

// Tap asks for a verdict on a tap.
func (c *Client) Tap(ctx context.Context, t wire.Tap) (v wire.Verdict, err error) {
	if err = c.ask(ctx, wire.TapPath, t, &v); err == nil && v.ID != t.ID {
		err = fmt.Errorf("%w: its answer is to another tap", ErrUncertain)
	}
	return v, err
}

// Issue asks for the next command to a card that is being issued.
func (c *Client) Issue(ctx context.Context, i wire.Issue) (next wire.Issued, err error) {
	if err = c.ask(ctx, wire.CardPath, i, &next); err == nil && next.ID != i.ID {
		err = fmt.Errorf("%w: its answer is to another card", ErrUncertain)
	}
	return next, err
}

// Capture takes the money of a granted tap.
func (c *Client) Capture(ctx context.Context, grant string) (r wire.Resolved, err error) {
	return r, c.ask(ctx, wire.CapturePath, wire.Resolve{Grant: grant}, &r)
}

// Release gives it back.
func (c *Client) Release(ctx context.Context, grant string) (r wire.Resolved, err error) {
	return r, c.ask(ctx, wire.ReleasePath, wire.Resolve{Grant: grant}, &r)
}

// Session asks whether the kiosk's browser has used a grant; over gives the money back where
// it has not.
func (c *Client) Session(ctx context.Context, grant string, over bool) (s wire.SessionState, err error) {
	return s, c.ask(ctx, wire.SessionPath, wire.Session{Grant: grant, Over: over}, &s)
}

// Leave says that the card of a tap has gone, which ends what it has opened in a browser.
func (c *Client) Leave(ctx context.Context, tap wallet.OpID) error {
	return c.ask(ctx, wire.LeavePath, wire.Leave{ID: tap}, &struct{}{})
}

// Lease asks for what a card may pay while the paywall does not answer.
func (c *Client) Lease(ctx context.Context, r wire.LeaseRequest) (l wire.Lease, err error) {
	return l, c.ask(ctx, wire.LeasePath, r, &l)
}

// Sync hands over what was granted then.
func (c *Client) Sync(ctx context.Context, s wire.Sync) (answer wire.Synced, err error) {
	return answer, c.ask(ctx, wire.SyncPath, s, &answer)
}

func (c *Client) ask(ctx context.Context, path string, in, out any) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done(): // who has tapped does not wait for a report that nobody answers
		return fmt.Errorf("%w: %w", ErrUncertain, ctx.Err())
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	sequence, err := c.id.next()
	if err != nil {
		return err
	}
	request := wire.Request{Kiosk: c.id.Kiosk, Site: c.site.Host, Path: path, Body: body, Sequence: sequence}
	token, err := request.Sign(c.id.key(), c.now())
	if err != nil {
		return err
	}
	return send(ctx, c.http, c.site, path, token, body, out)
}

// send posts JSON and reads JSON.
func send(ctx context.Context, h *http.Client, site *url.URL, path, token string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, site.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := h.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, wire.MaxBody+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUncertain, err)
	case len(answer) > wire.MaxBody:
		return fmt.Errorf("%w: its answer is too long", ErrUncertain)
	case response.StatusCode == http.StatusOK:
		if json.Unmarshal(answer, out) != nil {
			return fmt.Errorf("%w: its answer does not read", ErrUncertain)
		}
		return nil
	case response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: status %d", ErrUncertain, response.StatusCode)
	}
	var problem struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(answer, &problem) // a proxy's answer is any text
	return RefusalError{response.StatusCode, strings.TrimSpace(problem.Title + ": " + problem.Detail)}
}
