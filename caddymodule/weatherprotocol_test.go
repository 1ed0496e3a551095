package caddymodule

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"
)

// protocol is a version of HTTP, and a client that speaks no other.
type protocol struct {
	name  string
	proto string // as an answer names it
	dial  func(t *testing.T, address string, roots *x509.CertPool) http.RoundTripper
}

var protocols = []protocol{
	{"HTTP1", "HTTP/1.1", overTLS},
	{"HTTP2", "HTTP/2.0", overHTTP2},
	{"HTTP3", "HTTP/3.0", overQUIC},
}

// overTLS is a transport that goes to address, whatever the host's name.
func overTLS(t *testing.T, address string, roots *x509.CertPool) http.RoundTripper {
	transport := &http.Transport{
		DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// overHTTP2 is as overTLS.
func overHTTP2(t *testing.T, address string, roots *x509.CertPool) http.RoundTripper {
	dial := func(ctx context.Context, network, _ string, config *tls.Config) (net.Conn, error) {
		return (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
	}
	//nolint:staticcheck // the transport that is not deprecated has no extended CONNECT
	transport := &http2.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: roots}, DialTLSContext: dial}
	t.Cleanup((&http.Client{Transport: transport}).CloseIdleConnections)
	return transport
}

// overQUIC is as overTLS.
func overQUIC(t *testing.T, address string, roots *x509.CertPool) http.RoundTripper {
	transport, hangUp := quicTransport(t, udpSocket(t), address, &tls.Config{RootCAs: roots})
	t.Cleanup(hangUp)
	return transport
}

// quicTransport speaks HTTP/3 to address over a socket, until it hangs up.
func quicTransport(t *testing.T, socket net.PacketConn, address string, config *tls.Config) (transport *http3.Transport, hangUp func()) {
	t.Helper()
	to, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := &quic.Transport{Conn: socket}
	transport = &http3.Transport{
		DisableCompression: true, TLSClientConfig: config,
		Dial: func(ctx context.Context, _ string, tlsConfig *tls.Config, config *quic.Config) (*quic.Conn, error) {
			return endpoint.DialEarly(ctx, to, tlsConfig, config)
		},
	}
	return transport, func() {
		if err := errors.Join(transport.Close(), endpoint.Close()); err != nil {
			t.Error(err)
		}
	}
}

// spoken is a transport whose answers come over one protocol and no other.
type spoken struct {
	http.RoundTripper
	proto string
}

func (s spoken) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(r)
	if err == nil && resp.Proto != s.proto {
		resp.Body.Close()
		return nil, fmt.Errorf("answered over %s, not %s", resp.Proto, s.proto)
	}
	return resp, err
}

// selfSigned writes a certificate for a name and its key into files, and is the
// pool that trusts it.
func selfSigned(t *testing.T, name string) (certificate, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	for path, block := range map[string][]byte{
		certificate: text, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}),
	} {
		if err := os.WriteFile(path, block, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return certificate, key, roots
}
