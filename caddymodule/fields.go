package caddymodule

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// fields is what a form or a JSON body may say. Each endpoint reads its own.
type fields struct {
	Code     string      `json:"code"`
	Recovery string      `json:"recovery_code"` // what a new wallet's answer calls the code that recover takes
	Quote    string      `json:"quote"`
	Path     string      `json:"path"`
	Offer    string      `json:"offer"`
	Return   string      `json:"return"`
	MaxPrice string      `json:"max_price"`
	ID       wallet.OpID `json:"id"` // makes the call idempotent; drawn where absent
	Revoke   bool        `json:"revoke"`

	// Of cards: what is not given is not changed.
	Card     string  `json:"card"`
	Claim    string  `json:"claim"`
	Replaces string  `json:"replaces"`
	Name     *string `json:"name"`
	TapLimit *string `json:"tap_limit"`
	DayLimit *string `json:"day_limit"`
	Blocked  *bool   `json:"blocked"`
	Offline  *bool   `json:"offline"`

	// Of their PINs: an empty one is none any more.
	PIN      *wire.PIN `json:"pin"`
	PINAbove *string   `json:"pin_above"`
}

// readFields reads the body: a form or JSON, by its media type.
func (c *call) readFields() error {
	body := http.MaxBytesReader(c.w, c.r.Body, maxBody)
	media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	var err error
	switch {
	case media == "application/x-www-form-urlencoded":
		c.r.Body = body
		err = c.readForm()
	case media == "application/json", media == "" && c.r.ContentLength == 0:
		err = readJSON(body, &c.fields)
	default:
		return problem{
			status: http.StatusUnsupportedMediaType, key: page.BadRequest,
			detail: "send a form (application/x-www-form-urlencoded) or application/json",
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return problem{status: http.StatusRequestEntityTooLarge, key: page.TooLarge}
	}
	return err
}

func (c *call) readForm() error {
	if err := c.r.ParseForm(); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return err
		}
		return badRequest("the form is malformed")
	}
	f := c.r.PostForm
	c.fields = fields{
		Code: f.Get("code"), Recovery: f.Get("recovery_code"), Quote: f.Get("quote"), Path: f.Get("path"), Offer: f.Get("offer"),
		Return: f.Get("return"), MaxPrice: f.Get("max_price"), Revoke: f.Get("revoke") != "",
		Card: f.Get("card"), Claim: f.Get("claim"), Replaces: f.Get("replaces"), Name: given(f, "name"), TapLimit: given(f, "tap_limit"), DayLimit: given(f, "day_limit"),
	}
	c.fields.PINAbove = given(f, "pin_above")
	if digits := wire.PIN(f.Get("pin")); digits != "" || f.Get("remove_pin") != "" { // a field that is left empty changes nothing
		c.fields.PIN = &digits
	}
	for name, to := range map[string]**bool{"blocked": &c.fields.Blocked, "offline": &c.fields.Offline} {
		if value := f.Get(name); value != "" {
			yes := value == "true"
			*to = &yes
		}
	}
	if id := f.Get("id"); id != "" {
		if err := c.fields.ID.UnmarshalText([]byte(id)); err != nil {
			return badRequest("id must be a UUID version 7")
		}
	}
	return nil
}

// given is a field of a form, or nil where the form does not have it.
func given(f url.Values, name string) *string {
	if !f.Has(name) {
		return nil
	}
	value := f.Get(name)
	return &value
}

// readJSON reads one JSON object, or nothing. The decoder's own errors may
// quote a code, so they are not passed on.
func readJSON(body io.Reader, into any) error {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return err
	}
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
	}
	return badRequest("the body must be one JSON object with the fields of this address, amounts and ids as strings")
}
