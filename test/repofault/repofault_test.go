// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
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
)

const content = "name: cert-manager\nversion: v1.14.2\n"

// bench is a repository with one file, index.yaml.
type bench struct {
	t          *testing.T
	client     *http.Client
	url, admin string
	stop       io.Closer
	ended      chan error
	pair       tls.Certificate // with https: the server's, and one that it takes from clients
}

func start(t *testing.T, https bool) *bench {
	dir := t.TempDir()
	b := &bench{t: t, ended: make(chan error, 1)}
	s := settings{root: filepath.Join(dir, "files"), listen: "127.0.0.1:0", adminListen: "127.0.0.1:0"}
	if err := os.MkdirAll(filepath.Join(s.root, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(s.root, "index.yaml"), []byte(content))
	writeFile(t, filepath.Join(dir, "secret"), []byte("not to be served"))
	transport := &http.Transport{}
	if https {
		s.cert, s.key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
		s.clientCA = s.cert
		b.pair = makeCert(t, s.cert, s.key)
		roots := x509.NewCertPool()
		roots.AddCert(b.pair.Leaf)
		transport.ForceAttemptHTTP2 = true
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	in, stop := io.Pipe()
	out, announce := io.Pipe()
	b.stop = stop
	go func() { b.ended <- run(s, in, announce) }()
	var ready struct{ URL, AdminListen string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		t.Fatal(err)
	}
	b.url, b.admin = ready.URL, "http://"+ready.AdminListen
	b.client = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = stop.Close()
	})
	return b
}

func writeFile(t *testing.T, file string, bytes []byte) {
	if err := os.WriteFile(file, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeCert(t *testing.T, certFile, keyFile string) tls.Certificate {
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
	writeFile(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	writeFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pair.Leaf, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func (b *bench) get(path string, headers ...string) (*http.Response, string, error) {
	r, err := http.NewRequest("GET", b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := b.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

func (b *bench) control(method, path, body string) (int, string) {
	r, err := http.NewRequest(method, b.admin+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	all, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(all)
}

func (b *bench) must(path, body string) {
	b.t.Helper()
	if code, all := b.control("POST", path, body); code != http.StatusOK {
		b.t.Fatalf("refused: %s", all)
	}
}

func TestServesFilesWithValidators(t *testing.T) {
	for _, https := range []bool{false, true} {
		b := start(t, https)
		answer, body, err := b.get("/index.yaml")
		if err != nil || body != content || answer.Header.Get("Last-Modified") == "" {
			t.Fatal(answer, body, err)
		}
		if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[https]; answer.Proto != want {
			t.Fatal(answer.Proto)
		}
		tag := answer.Header.Get("ETag")
		if answer, _, err = b.get("/index.yaml", "If-None-Match", tag); err != nil || answer.StatusCode != http.StatusNotModified {
			t.Fatal(answer, err)
		}
		modified, _, _ := b.get("/index.yaml")
		answer, _, err = b.get("/index.yaml", "If-Modified-Since", modified.Header.Get("Last-Modified"))
		if err != nil || answer.StatusCode != http.StatusNotModified {
			t.Fatal(answer, err)
		}
		if answer, body, err = b.get("/index.yaml", "Range", "bytes=6-9"); err != nil || answer.StatusCode != 206 || body != "cert" {
			t.Fatal(answer, body, err)
		}
		for _, path := range []string{"/nothing", "/", "/sub", "/../secret", "/%2e%2e/secret"} {
			if answer, body, err := b.get(path); err != nil || answer.StatusCode != http.StatusNotFound {
				t.Fatal(path, answer, body, err)
			}
		}
	}
}

func TestAuth(t *testing.T) {
	b := start(t, false)
	code := func(headers ...string) int {
		answer, _, err := b.get("/index.yaml", headers...)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	b.must("/auth", `{"mode":"basic","user":"u","password":"p"}`)
	if code() != 401 || code("Authorization", "Basic dTpx") != 401 || code("Authorization", "Basic dTpw") != 200 {
		t.Fatal("basic")
	}
	b.must("/auth", `{"mode":"bearer","token":"abc"}`)
	if code() != 401 || code("Authorization", "Bearer x") != 401 || code("Authorization", "Bearer abc") != 200 {
		t.Fatal("bearer")
	}
	b.must("/auth", `{"mode":"none"}`)
	if code() != 200 {
		t.Fatal("none")
	}
	if status, _ := b.control("POST", "/auth", `{"mode":"digest"}`); status != 400 {
		t.Fatal(status)
	}
}

func TestClientCertificates(t *testing.T) {
	b := start(t, true)
	b.must("/auth", `{"mode":"mtls"}`)
	if answer, _, err := b.get("/index.yaml"); err != nil || answer.StatusCode != 401 {
		t.Fatal(answer, err)
	}
	dir := t.TempDir()
	foreign := makeCert(t, filepath.Join(dir, "c"), filepath.Join(dir, "k"))
	ask := func(pair tls.Certificate) (int, error) {
		config := b.client.Transport.(*http.Transport).TLSClientConfig.Clone()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: true}, Timeout: 5 * time.Second}
		answer, err := client.Get(b.url + "/index.yaml")
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		return answer.StatusCode, nil
	}
	if code, err := ask(b.pair); err != nil || code != 200 {
		t.Fatal(code, err)
	}
	if code, err := ask(foreign); err == nil {
		t.Fatal(code)
	}
}

func TestFaults(t *testing.T) {
	for _, row := range []struct {
		fault, body string
		status      int
		fails       bool
	}{
		{`{"kind":"status","status":503,"body":"no","headers":{"Retry-After":"1"}}`, "no", 503, false},
		{`{"kind":"replace","body":"other"}`, "other", 200, false},
		{`{"kind":"headers","headers":{"Content-Type":"x/y"}}`, content, 200, false},
		{`{"kind":"no-validators"}`, content, 200, false},
		{`{"kind":"cut"}`, "", 0, true},
		{`{"kind":"timeout","ms":100}`, "", 0, true},
		{`{"kind":"delay","ms":50}`, content, 200, false},
		{`{"kind":"half"}`, content[:len(content)/2], 200, true},
		{`{"kind":"redirect","to":"/index.yaml","status":307}`, content, 200, false},
		{`{"kind":"huge","bytes":100000}`, string(make([]byte, 100000)), 200, false},
		{`{"kind":"huge","bytes":100000,"length":true}`, string(make([]byte, 100000)), 200, false},
	} {
		for _, https := range []bool{false, true} {
			b := start(t, https)
			b.must("/faults", `{"match":{"pathPrefix":"/index"},"fault":`+row.fault+`}`)
			answer, body, err := b.get("/index.yaml")
			if (err != nil) != row.fails || body != row.body || answer != nil && answer.StatusCode != row.status {
				t.Errorf("%s: %v %.100q %v", row.fault, answer, body, err)
			}
			if _, body, err := b.get("/index.yaml"); err != nil || body != content {
				t.Errorf("%s: the next one: %q %v", row.fault, body, err)
			}
		}
	}
}

func TestRedirectLoop(t *testing.T) {
	b := start(t, false)
	b.must("/faults", `{"fault":{"kind":"redirect-loop"},"times":0}`)
	if _, _, err := b.get("/index.yaml"); err == nil || !strings.Contains(err.Error(), "stopped after 10 redirects") {
		t.Fatal(err)
	}
}

func TestSlow(t *testing.T) {
	b := start(t, false)
	b.must("/faults", `{"fault":{"kind":"slow","bytesPerSecond":100}}`)
	began := time.Now()
	if _, body, err := b.get("/index.yaml"); err != nil || body != content || time.Since(began) < 300*time.Millisecond {
		t.Fatal(body, err, time.Since(began))
	}
}

func TestEndless(t *testing.T) {
	b := start(t, false)
	b.must("/faults", `{"fault":{"kind":"huge"}}`)
	answer, err := b.client.Get(b.url + "/index.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.CopyN(io.Discard, answer.Body, 100<<20)
	answer.Body.Close()
	if n != 100<<20 || err != nil {
		t.Fatal(n, err)
	}
}

func TestDownRefusesAndUpTakesTheSamePort(t *testing.T) {
	b := start(t, false)
	b.must("/down", "")
	if _, _, err := b.get("/index.yaml"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatal(err)
	}
	b.must("/up", "")
	if _, body, err := b.get("/index.yaml"); err != nil || body != content {
		t.Fatal(body, err)
	}
}

func TestLog(t *testing.T) {
	b := start(t, false)
	for _, path := range []string{"/index.yaml", "/index.yaml?x", "/none"} {
		if _, _, err := b.get(path, "Authorization", "Bearer hidden"); err != nil {
			t.Fatal(err)
		}
	}
	_, all := b.control("GET", "/-/log", "")
	for _, want := range []string{`{"method":"GET","path":"/index.yaml","code":200,"count":2}`, `"code":404,"count":1`,
		`"authorization":true`, `"last":3`} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in %s", want, all)
		}
	}
	if bytes.Contains([]byte(all), []byte("hidden")) {
		t.Error("the log holds a credential")
	}
	b.control("DELETE", "/-/log", "")
	if _, all := b.control("GET", "/-/log", ""); !strings.Contains(all, `"requests":[]`) {
		t.Error(all)
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	b := start(t, false)
	for _, body := range []string{`{"fault":{"kind":"nonsense"}}`, `{"fault":{"kind":"cut"},"tmes":2}`, `[null]`, ``, `{"fault":{"kind":"slow"}}`,
		`{"fault":{"kind":"redirect"}}`, `{"match":{"pathRegex":"("},"fault":{"kind":"cut"}}`} {
		if code, all := b.control("POST", "/faults", body); code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, code, all)
		}
	}
}

func TestEndsWithItsInput(t *testing.T) {
	b := start(t, false)
	_ = b.stop.Close()
	select {
	case err := <-b.ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it goes on")
	}
}
