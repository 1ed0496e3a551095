package caddymodule

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kioskapi"
)

func TestWhatKiosksCanAskForIsDescribed(t *testing.T) {
	var described struct{ Paths map[string]any }
	if err := json.Unmarshal(kioskapi.Document, &described); err != nil {
		t.Fatal(err)
	}
	for path := range kioskEndpoints {
		if described.Paths[path] == nil {
			t.Errorf("%s is not described: list it in kioskapi/calls_test.go, and run make openapi", path)
		}
		delete(described.Paths, path)
	}
	for path := range described.Paths {
		t.Errorf("%s is described, and there is no such call", path)
	}
}

func TestEveryoneMayReadWhatKiosksCanAskFor(t *testing.T) {
	startSiteWith(t, withKiosks, magazine).stranger().get(kioskAPIPath).wants(http.StatusOK).wantsHeader("Access-Control-Allow-Origin", "*").
		wantsHeader("Content-Type", "application/vnd.oai.openapi+json;version=3.1").says(`"openapi": "3.1.0"`)
}
