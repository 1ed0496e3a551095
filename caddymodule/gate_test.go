package caddymodule

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// gated runs an upstream behind a gate on a real server and returns every byte
// that a client gets, and the statuses that were judged. refusal is what the
// settlement answers instead; zero lets everything through.
func gated(t *testing.T, refusal int, serve func(http.ResponseWriter, *http.Request) error) (raw string, judged []int) {
	t.Helper()
	var mu sync.Mutex
	finished := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(finished)
		w.Header().Set("Outer", "kept")
		g := newGate(w, func(status int, header http.Header) func(http.ResponseWriter) {
			mu.Lock()
			defer mu.Unlock()
			judged = append(judged, status)
			header.Set("Judged", "yes")
			if refusal == 0 {
				return nil
			}
			return func(w http.ResponseWriter) { writeText(w, refusal, "refused") }
		})
		g.Header().Set("Secret", "of the page")
		defer func() { // as sale.deliver: the client has its answer
			if p := recover(); p != nil && !g.refused {
				panic(p)
			}
		}()
		var failed caddyhttp.HandlerError
		if err := serve(g, r); errors.As(err, &failed) && !g.committed {
			w.WriteHeader(failed.StatusCode)
		}
	}))
	defer server.Close()
	server.Config.ErrorLog = nil
	raw = exchange(t, server.Listener.Addr().String(), "GET /articles/1 HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
	<-finished
	mu.Lock()
	defer mu.Unlock()
	return raw, judged
}

// dial connects for the length of the test, and for no longer than ten seconds.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// exchange sends raw bytes and reads until the server closes.
func exchange(t *testing.T, address, request string) string {
	t.Helper()
	conn := dial(t, address)
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(conn)
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		t.Fatalf("the server does not close the connection after %q", raw)
	}
	return string(raw)
}

// Every way on which bytes can leave is judged once, with the final status,
// and before the first byte (invariant 4: nobody reads without a grant).
func TestEveryWayOutIsJudgedOnceByItsFinalStatus(t *testing.T) {
	for name, way := range deliveries {
		t.Run(name, func(t *testing.T) {
			raw, judged := gated(t, 0, way.serve)
			want := []int{way.asked}
			if way.asked == 0 {
				want = nil
			}
			if len(judged) != len(want) || len(want) > 0 && judged[0] != want[0] {
				t.Errorf("judged %v, want %v", judged, want)
			}
			if way.body != "" && !strings.Contains(raw, way.body) {
				t.Errorf("the client does not get the page:\n%s", raw)
			}
			if way.asked != 0 && name != "Hijack bare" && !strings.Contains(raw, "Judged: yes") {
				t.Errorf("the judgement is not in the header:\n%s", raw)
			}
		})
	}
}

func TestARefusedAnswerLeavesNoByteAndNoHeaderOfThePage(t *testing.T) {
	for name, way := range deliveries {
		if way.asked == 0 {
			continue // nothing that could be refused
		}
		for _, refusal := range []int{http.StatusPaymentRequired, http.StatusServiceUnavailable} {
			t.Run(name+" refused with "+http.StatusText(refusal), func(t *testing.T) {
				raw, judged := gated(t, refusal, way.serve)
				if len(judged) != 1 {
					t.Errorf("judged %v, want once", judged)
				}
				if strings.Contains(raw, "SECRET") || strings.Contains(raw, "no such page") {
					t.Errorf("a byte of the page leaves:\n%s", raw)
				}
				_, final, hinted := strings.Cut(raw, "103 Early Hints")
				if _, after, found := strings.Cut(final, "\r\n\r\n"); hinted && found {
					raw = after // hints leave before anything can be judged
				}
				for _, gone := range []string{"Secret:", "Judged:", "Location:", "Upgrade:"} {
					if strings.Contains(raw, gone) {
						t.Errorf("%s leaves:\n%s", gone, raw)
					}
				}
				if !strings.HasPrefix(raw, "HTTP/1.1 4") && !strings.HasPrefix(raw, "HTTP/1.1 503") ||
					!strings.Contains(raw, "Outer: kept") || !strings.HasSuffix(raw, "refused") {
					t.Errorf("the client gets\n%s", raw)
				}
			})
		}
	}
}

// An upstream that goes on writing hears that nobody listens.
func TestAfterARefusalEveryWayOutFails(t *testing.T) {
	gated(t, http.StatusPaymentRequired, func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		controller := http.NewResponseController(w)
		_, write := io.WriteString(w, secretBody)
		_, readFrom := w.(io.ReaderFrom).ReadFrom(strings.NewReader(secretBody))
		_, _, hijack := controller.Hijack()
		for way, err := range map[string]error{"Write": write, "ReadFrom": readFrom, "Flush": controller.Flush(), "Hijack": hijack} {
			if !errors.Is(err, errRefused) {
				t.Errorf("%s after a refusal: %v", way, err)
			}
		}
		return nil
	})
}

func TestDeadlinesReachTheConnectionThroughTheGate(t *testing.T) {
	gated(t, 0, func(w http.ResponseWriter, _ *http.Request) error {
		controller := http.NewResponseController(w)
		if err := errors.Join(controller.SetReadDeadline(time.Now().Add(time.Minute)), controller.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil {
			t.Error(err)
		}
		return nil
	})
}

// What an upstream sends with a preflight has not been paid for.
func TestAPreflightGetsNoBody(t *testing.T) {
	for name, serve := range map[string]func(w http.ResponseWriter) error{
		"Write": func(w http.ResponseWriter) error { _, err := io.WriteString(w, secretBody); return err },
		"Write with a length": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "24")
			_, err := io.WriteString(w, secretBody)
			return err
		},
		"WriteHeader": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "24")
			w.WriteHeader(http.StatusOK)
			_, err := io.WriteString(w, secretBody)
			return err
		},
		"ReadFrom": func(w http.ResponseWriter) error {
			_, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(secretBody))
			return err
		},
		"io.Copy": func(w http.ResponseWriter) error { _, err := io.Copy(w, strings.NewReader(secretBody)); return err },
		"Flush": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "24")
			return http.NewResponseController(w).Flush()
		},
		"Hijack": func(w http.ResponseWriter) error {
			if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
				t.Error("a preflight is upgraded")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if err := serve(newHeadOnly(w)); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			resp, err := http.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || len(body) > 0 || resp.StatusCode != http.StatusOK {
				t.Errorf("status %d, body %q, %v", resp.StatusCode, body, err)
			}
		})
	}
}
