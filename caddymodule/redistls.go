package caddymodule

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// load reads the files into a configuration of TLS, and returns a hash of what is
// in them: a certificate that has been renewed is another one.
func (t *RedisTLS) load() (config *tls.Config, contents []byte, err error) {
	config = plainTLS()
	if config.ServerName, err = expandText("server_name", t.ServerName); err != nil {
		return nil, nil, err
	}
	sum := sha256.New()
	read := func(option, template string) ([]byte, error) {
		path, err := expandText(option, template)
		if err != nil || path == "" {
			return nil, err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", option, err)
		}
		hash := sha256.Sum256(text)
		sum.Write(hash[:])
		return text, nil
	}
	ca, err := read("ca", t.CA)
	if err != nil {
		return nil, nil, err
	}
	if ca != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, nil, errors.New("ca: the file has no certificate in PEM")
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, nil, errors.New("cert and key belong together; give both, or none")
	}
	cert, err := read("cert", t.Cert)
	if err != nil {
		return nil, nil, err
	}
	key, err := read("key", t.Key)
	if err != nil {
		return nil, nil, err
	}
	if cert != nil {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, nil, fmt.Errorf("cert and key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, sum.Sum(nil), nil
}

// plainTLS is the TLS of a server of which no more is said.
func plainTLS() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
