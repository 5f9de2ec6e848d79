// SPDX-License-Identifier: Apache-2.0

// Package faulttest runs fault servers in their tests, and talks to them.
package faulttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"davit.dev/test/faults/internal/loopback"
)

// Server is one that runs until its test ends.
type Server struct {
	Ready  loopback.Ready
	Client *http.Client // for the port that it serves on

	t     *testing.T
	stop  io.Closer
	ended chan error
}

// Start runs a server and waits until it is ready. Its client trusts that certificate; nil: no TLS is spoken.
func Start(t *testing.T, run func(in io.Reader, out io.Writer) error, trusted *x509.Certificate) *Server {
	t.Helper()
	in, stop := io.Pipe()
	out, announce := io.Pipe()
	s := &Server{t: t, stop: stop, ended: make(chan error, 1)}
	go func() {
		err := run(in, announce)
		_ = announce.CloseWithError(err)
		s.ended <- err
	}()
	if err := json.NewDecoder(out).Decode(&s.Ready); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	if trusted != nil {
		roots := x509.NewCertPool()
		roots.AddCert(trusted)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		transport.ForceAttemptHTTP2 = true
	}
	s.Client = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = stop.Close()
	})
	return s
}

// Ask sends a request and returns its answer, the body of it, and how reading that ended. Headers are names, each with its value.
func (s *Server) Ask(method, url, body string, headers ...string) (*http.Response, string, error) {
	s.t.Helper()
	return ask(s.t, s.Client, method, url, body, headers...)
}

// Control asks the control port and returns the code and the body of its answer.
func (s *Server) Control(method, path, body string) (int, string) {
	s.t.Helper()
	answer, all, err := ask(s.t, http.DefaultClient, method, "http://"+s.Ready.AdminListen+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, all
}

func ask(t *testing.T, client *http.Client, method, url, body string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	return answer, string(all), err
}

// Must posts to the control port, which has to take it.
func (s *Server) Must(path, body string) {
	s.t.Helper()
	if code, all := s.Control("POST", path, body); code != http.StatusOK {
		s.t.Fatalf("refused: %s", all)
	}
}

// Refuses checks that the control port takes none of the rules.
func (s *Server) Refuses(rules ...string) {
	s.t.Helper()
	for _, rule := range rules {
		if code, all := s.Control("POST", "/faults", rule); code != http.StatusBadRequest {
			s.t.Errorf("%s: %d %s", rule, code, all)
		}
	}
}

// Contains checks that a text holds each part.
func Contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
}

// EndsWithItsInput checks that the server returns once its standard input is closed.
func (s *Server) EndsWithItsInput() {
	s.t.Helper()
	_ = s.stop.Close()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Fatal(err)
		}
	case <-time.After(5 * time.Second):
		s.t.Fatal("it goes on")
	}
}

// Pair is a certificate for this machine, signed by itself, and where it is written.
type Pair struct {
	tls.Certificate
	CertFile, KeyFile string
}

// MakePair makes a pair in a folder of its own.
func MakePair(t *testing.T) Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair := Pair{CertFile: WritePEM(t, "CERTIFICATE", der), KeyFile: WritePEM(t, "PRIVATE KEY", keyDER)}
	// The leaf is parsed with it.
	if pair.Certificate, err = tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile); err != nil {
		t.Fatal(err)
	}
	return pair
}

// WritePEM writes a file in a folder of its own, and returns its path.
func WritePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
