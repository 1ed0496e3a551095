package kioskapi

import (
	"encoding/json"
	"path"
	"reflect"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// object is one of the document's. Its keys are written in their order, and so the document
// is the same each time that it is made.
type object = map[string]any

const about = `A machine at which cards pay. Each request but the first carries a token of the kiosk's own: a JSON Web Token signed with the Ed25519 key that it was enrolled with (EdDSA), with its name (iss), the site's host (aud), the path (htu), the base64url SHA-256 of the body (bh), a life of at most 30 seconds (iat, exp), and a number above that of every request of this kiosk before (seq). Requests are to be sent one at a time.

Amounts are decimals in strings, ids UUIDs of version 7. What kiosk and paywall do not know they refuse and ignore: a paywall a field of a request, a kiosk one of an answer. A request that is not answered, or by 429 or 5xx, has an unknown outcome: it is to be sent again, with the same id and a new token.`

// document is the description as it has to be.
func document() ([]byte, error) {
	schemas, err := schemasOf("../../rfidbridge/wire")
	if err != nil {
		return nil, err
	}
	for name, schema := range byHand {
		schemas[name] = schema
	}
	paths := object{wire.BrowserPath: browserCall}
	for _, c := range calls {
		paths[c.path] = object{"post": c.operation()}
	}
	text, err := json.MarshalIndent(struct {
		OpenAPI    string   `json:"openapi"`
		Info       object   `json:"info"`
		Servers    []object `json:"servers"`
		Paths      object   `json:"paths"`
		Components object   `json:"components"`
	}{
		"3.1.0",
		object{"title": "Kiosks of a paywall", "version": "1", "description": about},
		[]object{{"url": "/", "description": "the site with the paywall"}},
		paths,
		object{
			"schemas": schemas,
			"securitySchemes": object{"kiosk": object{
				"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "good for one request, once",
			}},
			"responses": object{"problem": object{
				"description": "Nothing has happened, and why (RFC 9457): 400 what was sent does not read or breaks a limit, 401 no token of a kiosk of this paywall or one that was seen before, " +
					"403 the kiosk is disabled or may not, 404 there are no kiosks or none of that, 413 more than 65536 bytes, 422 a code, grant or record that is none, 429 too many.",
				"content": content("application/problem+json", object{"$ref": "#/components/schemas/Problem"}, nil),
			}},
		},
	}, "", "\t")
	return append(text, '\n'), err
}

func content(media string, schema object, example any) object {
	c := object{"schema": schema}
	if example != nil {
		c["example"] = example
	}
	return object{media: c}
}

func (c call) operation() object {
	o := object{
		"operationId": path.Base(c.path), "summary": c.does,
		"requestBody": object{"required": true, "content": content("application/json", schemaOf(c.asks), c.asks)},
		"responses": object{
			"200":     object{"description": "done", "content": content("application/json", schemaOf(c.answers), c.answers)},
			"4XX":     object{"$ref": "#/components/responses/problem"},
			"503":     object{"description": "Nobody knows: it is to be sent again.", "headers": object{"Retry-After": object{"schema": object{"type": "integer"}}}},
			"default": object{"$ref": "#/components/responses/problem"},
		},
		"security": []object{{"kiosk": []string{}}},
	}
	if c.open {
		o["security"] = []object{}
	}
	return o
}

// schemaOf is the schema of a type of package wire, by its name; of a type without one, of
// an empty object.
func schemaOf(value any) object {
	if name := reflect.TypeOf(value).Name(); name != "" {
		return object{"$ref": "#/components/schemas/" + name}
	}
	return object{"type": "object"}
}

// browserCall is the one call of a kiosk's browser.
var browserCall = object{"post": object{
	"operationId": "begin", "summary": "Signs the kiosk's browser in for the pages that a tap has paid for. It is sent by a form of the kiosk's own page.",
	"security": []object{},
	"requestBody": object{"required": true, "content": content("application/x-www-form-urlencoded", object{
		"type": "object", "required": []string{wire.CodeField},
		"properties": object{
			wire.CodeField:   object{"type": "string", "description": "the kiosk's name, a dot, and the grant"},
			wire.ReturnField: object{"type": "string", "format": "uri", "description": "where the kiosk's own page is, on the loopback interface"},
		},
	}, nil)},
	"responses": object{"303": object{"description": "to the session's page, with its cookie"}, "default": object{"$ref": "#/components/responses/problem"}},
}}

// byHand are the schemas of what writes itself as it likes.
var byHand = object{
	"OpID": object{"type": "string", "format": "uuid", "description": "An id that whoever asks makes, of version 7: it says when."},
	"Hex":  object{"type": "string", "pattern": "^([0-9a-fA-F]{2})*$", "description": "What goes to a card, or comes from it."},
	"PIN":  object{"type": "string", "description": "What somebody has entered."},
	"Kind": object{"type": "string", "enum": kinds(), "description": "A kind of chip."},
	"Card": object{
		"type": "object", "description": "What a card has shown: its number alone, a message that it has signed (SUN), or, of a bank card that the kiosk has checked, a token.",
		"oneOf": []object{{"required": []string{"uid"}}, {"required": []string{"sun"}}, {"required": []string{"token"}}},
		"properties": object{
			"uid":   hexOf(4, 10),
			"sun":   object{"type": "object", "required": []string{"picc", "cmac"}, "properties": object{"picc": hexOf(16, 16), "cmac": hexOf(8, 8)}},
			"token": hexOf(32, 32),
			"kind":  object{"$ref": "#/components/schemas/Kind"},
		},
	},
	"Problem": object{
		"type": "object", "required": []string{"type", "title", "status"}, "description": "Why nothing has happened (RFC 9457).",
		"properties": object{
			"type": object{"type": "string", "format": "uri-reference"}, "title": object{"type": "string"},
			"status": object{"type": "integer"}, "detail": object{"type": "string"},
		},
	},
}
