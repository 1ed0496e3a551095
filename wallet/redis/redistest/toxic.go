package redistest

import (
	"bytes"
	"encoding/json"
)

// toxic is what the library calls a fault, as its interface wants it.
type toxic struct {
	Type       string           `json:"type"`
	Stream     string           `json:"stream"`
	Attributes map[string]int64 `json:"attributes,omitempty"`
}

// The library's names of the directions.
const (
	toServer = "upstream"
	toClient = "downstream"
)

func (p *Proxy) poison(toxics []toxic) {
	p.t.Helper()
	for _, t := range toxics {
		text, err := json.Marshal(t)
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := p.proxy.Toxics.AddToxicJson(bytes.NewReader(text)); err != nil {
			p.t.Fatalf("the proxy at %s and %s: %v", p.Addr(), text, err)
		}
	}
}
