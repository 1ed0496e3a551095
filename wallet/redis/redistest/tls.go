package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TLS is a server's port for TLS, at which it wants a client's certificate, and the files
// that a client needs. All are signed by one authority, which nobody else knows.
type TLS struct {
	Addr          string
	CA, Cert, Key string
}

// StartTLS runs a server that speaks TLS at a port of its own, beside the plain one at
// which the test looks at it.
func StartTLS(t testing.TB, config ...string) (*Server, TLS) {
	t.Helper()
	dir, at := t.TempDir(), address(freePort(t))
	_, port, _ := net.SplitHostPort(at)
	authority := makeAuthority(t, filepath.Join(dir, "ca.pem"))
	serverCert, serverKey := authority.issue(t, filepath.Join(dir, "server"))
	files := TLS{Addr: at, CA: authority.path}
	files.Cert, files.Key = authority.issue(t, filepath.Join(dir, "client"))
	s := Start(t, append([]string{
		"tls-port " + port, "tls-cert-file " + serverCert, "tls-key-file " + serverKey,
		"tls-ca-cert-file " + authority.path, "tls-auth-clients yes",
	}, config...)...)
	return s, files
}

// authority signs certificates.
type authority struct {
	path string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func makeAuthority(t testing.TB, path string) *authority {
	t.Helper()
	a := &authority{path: path, key: newKey(t)}
	a.cert = certificate("the tests' authority")
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	a.write(t, path, a.cert, a.key)
	return a
}

// issue writes a certificate for the loopback interface and its key, for both sides of a
// connection.
func (a *authority) issue(t testing.TB, path string) (cert, key string) {
	t.Helper()
	private := newKey(t)
	c := certificate(filepath.Base(path))
	c.IPAddresses = []net.IP{net.ParseIP(loopback)}
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	a.write(t, path+".pem", c, private)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path+".key", "EC PRIVATE KEY", der)
	return path + ".pem", path + ".key"
}

// write signs a certificate and writes it.
func (a *authority) write(t testing.TB, path string, c *x509.Certificate, of *ecdsa.PrivateKey) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, of.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "CERTIFICATE", der)
}

func certificate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
