# What a person types. `make` alone says what there is.

# The flags of xcaddy, so that an operator's own build is the one tested here.
# CGO is off: the paywall is pure Go and its binary static.
TAGS  := nobadger,nomysql,nopgx
BUILD := CGO_ENABLED=0 go build -trimpath -tags $(TAGS) -ldflags "-w -s"

GOLANGCI_LINT := v2.15.0
LINT          := .tools/golangci-lint-$(GOLANGCI_LINT)

.PHONY: help build run test setup check race bench bench-field soak chaos screenshots openapi fuzz clean

help:
	@echo "make run    build Caddy with the paywall and start the demo magazine on http://localhost:8402"
	@echo "make build  build bin/caddy"
	@echo "make test   set up what the tests need and run everything"
	@echo "make bench  measure what the paywall costs, half an hour (BENCH='-scale=false -redis=false' for less)"
	@echo "make soak   ten minutes of everything at once: memory must stay flat (SOAK=1h for longer)"
	@echo "make chaos  break Redis under the ledger for an hour (CHAOS=10m for less)"
	@echo "make fuzz   fuzz every parser, a minute each (FUZZTIME=10m for longer)"

build:
	$(BUILD) -o bin/caddy ./caddymodule/caddy

# The server runs until interrupted. The vouchers are made by the operator's
# own command, as for real ones.
run: build
	@bin/caddy run --config Caddyfile.example --adapter caddyfile & server=$$!; \
	trap 'kill $$server 2>/dev/null; wait $$server' EXIT; trap 'exit 0' INT TERM; \
	echo; echo "Vouchers to try it with:"; \
	bin/caddy paywall voucher create --value 12.00 --count 3 --note demo --wait 30s || exit 1; \
	echo; echo "A card and a kiosk to try, in another terminal:"; \
	echo "bin/caddy paywall rfid simulate -code $$(bin/caddy paywall kiosk enrol demo | cut -d ' ' -f 1)"; \
	echo; echo "The magazine is at http://localhost:8402. Stop it with Ctrl-C."; echo; \
	wait $$server

test: setup check race

# What the tests need beyond Go: a browser with a font, curl for the README's
# commands, wrk for the benchmark, Redis, file systems to break, and the daemon of card
# readers with a virtual one. Where it cannot
# be installed, it is named.
PACKAGES := chromium fonts-dejavu-core curl wrk redis-server e2fsprogs mount pcscd vsmartcard-vpcd

setup:
	@missing=; for tool in chromium curl wrk redis-server redis-cli mkfs.ext4 mount pcscd; do \
		PATH=$$PATH:/usr/sbin:/sbin command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	[ -e /usr/lib/pcsc/drivers/serial/libifdvpcd.so ] || missing="$$missing vsmartcard-vpcd"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(PACKAGES) >/dev/null; \
	else \
		echo "The tests need$$missing. On Debian, as root: apt-get install $(PACKAGES)" >&2; exit 1; \
	fi

# With the flags of build, so that what one has compiled serves the other.
check: export CGO_ENABLED = 0
check: export GOFLAGS = $(shell go env GOFLAGS) -trimpath
check: $(LINT)
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "Not gofmt-ed:" $$unformatted >&2; exit 1; fi
	go vet -tags $(TAGS),root ./...
	$(LINT) run --build-tags $(TAGS),root ./...

$(LINT):
	@mkdir -p .tools
	GOBIN=$(CURDIR)/.tools CGO_ENABLED=0 go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	mv .tools/golangci-lint $@

# The tests that fill, break and cut the power of real file systems mount them,
# which only root may.
ROOT := $(shell [ "$$(uname)" = Linux ] && [ "$$(id -u)" = 0 ] && echo ,root)

# The packages that take longest, mostly waiting, begin first: the others fit beside them,
# one more at a time than there are processors.
LONGEST  := ./wallet/redis ./caddymodule ./wallet/local ./caddymodule/caddy ./caddymodule/bench
PACKAGES_AT_ONCE := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

race:
	@[ -n "$(ROOT)" ] || echo "Left out: the tests on real disks that fail, which need Linux and root." >&2
	go test -race -p $(PACKAGES_AT_ONCE) -tags $(TAGS)$(ROOT) -timeout 14m $(LONGEST) ./...

# What the paywall costs, beside Caddy without it; package caddymodule/bench
# says how. BENCH is its flags.
BENCH ?=
bench: setup
	@go run ./caddymodule/bench -scale -redis -taps $(BENCH)

# The same of two of the field's middlewares, which npm brings (Node.js 20).
bench-field: setup
	@go run ./caddymodule/bench -field $(BENCH)

SOAK ?= 10m
soak:
	PAYWALL_SOAK=$(SOAK) nice -n 10 go test -tags $(TAGS) -count 1 -v -timeout 0 -run NothingGrows ./caddymodule/caddy

# Everything that breaks, under a ledger on Redis, again and again with new seeds.
CHAOS ?= 1h
chaos: setup
	PAYWALL_CHAOS=$(CHAOS) go test -race -tags $(TAGS)$(ROOT) -count 1 -v -timeout 0 -run Chaos ./wallet/redis

# The pictures that the README shows, from the reader's story in a browser.
screenshots: setup
	PAYWALL_SCREENSHOTS=$(CURDIR)/caddymodule/page/screenshots go test -tags $(TAGS) -count 1 -run Browser ./caddymodule/caddy

# The description of what kiosks ask a paywall for, of package wire.
openapi:
	PAYWALL_OPENAPI=write go test -count 1 -run TheDocumentIs ./caddymodule/kioskapi

FUZZTIME ?= 1m
fuzz:
	@go list ./... | while read -r package; do \
		go test -list '^Fuzz' "$$package" | grep '^Fuzz' | while read -r target; do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$package" || exit 1; \
		done || exit 1; \
	done

clean:
	rm -rf bin .tools
