// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"davit.dev/test/faults/internal/faulttest"
)

const content = "name: cert-manager\nversion: v1.14.2\n"

// bench is a repository with one file, index.yaml.
type bench struct {
	*faulttest.Server
	pair faulttest.Pair // with https: the server's, and one that it takes from clients
}

func start(t *testing.T, https bool) *bench {
	dir := t.TempDir()
	s := settings{root: filepath.Join(dir, "files"), listen: "127.0.0.1:0", adminListen: "127.0.0.1:0"}
	if err := os.MkdirAll(filepath.Join(s.root, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(s.root, "index.yaml"), content)
	writeFile(t, filepath.Join(dir, "secret"), "not to be served")
	b := &bench{}
	var trusted *x509.Certificate
	if https {
		b.pair = faulttest.MakePair(t)
		s.cert, s.key, s.clientCA = b.pair.CertFile, b.pair.KeyFile, b.pair.CertFile
		trusted = b.pair.Leaf
	}
	b.Server = faulttest.Start(t, s.run, trusted)
	return b
}

func writeFile(t *testing.T, file, text string) {
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) get(path string, headers ...string) (*http.Response, string, error) {
	return b.Ask("GET", b.Ready.URL+path, "", headers...)
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
	b.Must("/auth", `{"mode":"basic","user":"u","password":"p"}`)
	if code() != 401 || code("Authorization", "Basic dTpx") != 401 || code("Authorization", "Basic dTpw") != 200 {
		t.Fatal("basic")
	}
	b.Must("/auth", `{"mode":"bearer","token":"abc"}`)
	if code() != 401 || code("Authorization", "Bearer x") != 401 || code("Authorization", "Bearer abc") != 200 {
		t.Fatal("bearer")
	}
	b.Must("/auth", `{"mode":"none"}`)
	if code() != 200 {
		t.Fatal("none")
	}
	if status, _ := b.Control("POST", "/auth", `{"mode":"digest"}`); status != 400 {
		t.Fatal(status)
	}
}

func TestClientCertificates(t *testing.T) {
	b := start(t, true)
	b.Must("/auth", `{"mode":"mtls"}`)
	if answer, _, err := b.get("/index.yaml"); err != nil || answer.StatusCode != 401 {
		t.Fatal(answer, err)
	}
	ask := func(pair tls.Certificate) (int, error) {
		config := b.Client.Transport.(*http.Transport).TLSClientConfig.Clone()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: true}, Timeout: 5 * time.Second}
		answer, err := client.Get(b.Ready.URL + "/index.yaml")
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		return answer.StatusCode, nil
	}
	if code, err := ask(b.pair.Certificate); err != nil || code != 200 {
		t.Fatal(code, err)
	}
	if code, err := ask(faulttest.MakePair(t).Certificate); err == nil {
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
			b.Must("/faults", `{"match":{"pathPrefix":"/index"},"fault":`+row.fault+`}`)
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
	b.Must("/faults", `{"fault":{"kind":"redirect-loop"},"times":0}`)
	if _, _, err := b.get("/index.yaml"); err == nil || !strings.Contains(err.Error(), "stopped after 10 redirects") {
		t.Fatal(err)
	}
}

func TestSlow(t *testing.T) {
	b := start(t, false)
	b.Must("/faults", `{"fault":{"kind":"slow","bytesPerSecond":100}}`)
	began := time.Now()
	if _, body, err := b.get("/index.yaml"); err != nil || body != content || time.Since(began) < 300*time.Millisecond {
		t.Fatal(body, err, time.Since(began))
	}
}

func TestEndless(t *testing.T) {
	b := start(t, false)
	b.Must("/faults", `{"fault":{"kind":"huge"}}`)
	answer, err := b.Client.Get(b.Ready.URL + "/index.yaml")
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
	b.Must("/down", "")
	if _, _, err := b.get("/index.yaml"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatal(err)
	}
	b.Must("/up", "")
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
	_, all := b.Control("GET", "/-/log", "")
	faulttest.Contains(t, all, `{"method":"GET","path":"/index.yaml","code":200,"count":2}`, `"code":404,"count":1`,
		`"authorization":true`, `"bytes":36`, `"host":"`+b.Ready.Listen+`"`)
	if strings.Contains(all, "hidden") {
		t.Error("the log holds a credential")
	}
	b.Control("DELETE", "/-/log", "")
	if _, all := b.Control("GET", "/log", ""); !strings.Contains(all, `"requests":[]`) {
		t.Error(all)
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	start(t, false).Refuses(`{"fault":{"kind":"nonsense"}}`, `{"fault":{"kind":"slow"}}`, `{"fault":{"kind":"redirect"}}`,
		`{"fault":{"kind":"huge","bytes":-1}}`, `{"fault":{"kind":"slow","bytesPerSecond":-1}}`, `{"match":{"verb":"get"},"fault":{"kind":"cut"}}`)
}

func TestEndsWithItsInput(t *testing.T) {
	start(t, false).EndsWithItsInput()
}
