// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const answerBody = `{"kind":"ConfigMap","metadata":{"name":"a"}}`

// bench is a proxy before a server that counts what reaches it.
type bench struct {
	t       *testing.T
	client  *http.Client
	url     string
	admin   string
	reached atomic.Int32
	stop    io.Closer
	ended   chan error
}

func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	b.reached.Add(1)
	w.Header().Set("X-Proto", r.Proto)
	w.Header().Set("X-Token", r.Header.Get("Authorization"))
	w.Header().Set("X-Body", func() string { all, _ := io.ReadAll(r.Body); return string(all) }())
	if r.URL.Query().Get("watch") == "" {
		fmt.Fprint(w, answerBody)
		return
	}
	w.WriteHeader(http.StatusOK)
	for i := 1; ; i++ {
		fmt.Fprintf(w, `{"type":"ADDED","object":{"n":%d}}`+"\n", i)
		w.(http.Flusher).Flush()
		if i == 3 {
			<-r.Context().Done()
			return
		}
	}
}

func start(t *testing.T) *bench {
	b := &bench{t: t, ended: make(chan error, 1)}
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	upstream.EnableHTTP2 = true
	upstream.StartTLS()
	dir := t.TempDir()
	caFile := filepath.Join(dir, "ca.crt")
	writePEM(t, caFile, "CERTIFICATE", upstream.Certificate().Raw)
	cert := makeCert(t, dir)
	in, stop := io.Pipe()
	out, announce := io.Pipe()
	b.stop = stop
	go func() {
		b.ended <- run(settings{upstream.URL, caFile, filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"),
			"127.0.0.1:0", "127.0.0.1:0"}, in, announce)
	}()
	var ready struct{ Listen, AdminListen string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	b.url, b.admin = "https://"+ready.Listen, "http://"+ready.AdminListen
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	b.client = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = stop.Close()
		upstream.CloseClientConnections()
		upstream.Close()
	})
	return b
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeCert(t *testing.T, dir string) *x509.Certificate {
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
	writePEM(t, filepath.Join(dir, "tls.crt"), "CERTIFICATE", der)
	writePEM(t, filepath.Join(dir, "tls.key"), "PRIVATE KEY", keyDER)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// ask sends one request and returns its answer's body and how reading it ended.
func (b *bench) ask(method, path string) (*http.Response, string, error) {
	r, err := http.NewRequest(method, b.url+path, strings.NewReader(map[string]string{"POST": "sent"}[method]))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer t")
	r.Header.Set("User-Agent", "tester/1")
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

func (b *bench) fault(body string) {
	b.t.Helper()
	if code, all := b.control("POST", "/faults", body); code != http.StatusOK {
		b.t.Fatalf("refused: %s", all)
	}
}

func TestPassesThroughOverHTTP2(t *testing.T) {
	b := start(t)
	answer, body, err := b.ask("POST", "/api/v1/namespaces/d/configmaps")
	if err != nil || body != answerBody || answer.Proto != "HTTP/2.0" || answer.Header.Get("X-Proto") != "HTTP/2.0" ||
		answer.Header.Get("X-Token") != "Bearer t" || answer.Header.Get("X-Body") != "sent" {
		t.Fatal(answer, body, err)
	}
}

func TestStatusIsAKubernetesStatus(t *testing.T) {
	b := start(t)
	for _, row := range []struct {
		code   int
		reason string
	}{{409, "Conflict"}, {410, "Expired"}, {429, "TooManyRequests"}, {500, "InternalError"}} {
		b.fault(fmt.Sprintf(`{"fault":{"kind":"status","status":%d,"retryAfter":7}}`, row.code))
		answer, body, err := b.ask("POST", "/api/v1/namespaces/d/configmaps")
		var status struct {
			Kind, Reason string
			Code         int
			Details      struct{ RetryAfterSeconds int }
		}
		if err != nil || json.Unmarshal([]byte(body), &status) != nil {
			t.Fatal(body, err)
		}
		if answer.StatusCode != row.code || status.Code != row.code || status.Kind != "Status" || status.Reason != row.reason ||
			answer.Header.Get("Retry-After") != "7" || status.Details.RetryAfterSeconds != 7 {
			t.Fatal(answer, body)
		}
	}
	if n := b.reached.Load(); n != 0 {
		t.Fatalf("the server saw %d requests", n)
	}
}

func TestNthAndTimes(t *testing.T) {
	b := start(t)
	b.fault(`{"match":{"nth":2,"method":"GET","userAgent":"tester"},"fault":{"kind":"status","status":500},"times":2}`)
	var codes []int
	for range 5 {
		answer, _, err := b.ask("GET", "/api/v1/nodes")
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, answer.StatusCode)
	}
	if fmt.Sprint(codes) != "[200 500 500 200 200]" {
		t.Fatal(codes)
	}
	if _, all := b.control("GET", "/faults", ""); !strings.Contains(all, `"matched":5,"fired":2`) {
		t.Fatal(all)
	}
	b.control("DELETE", "/faults", "")
	if _, all := b.control("GET", "/faults", ""); strings.TrimSpace(all) != "[]" {
		t.Fatal(all)
	}
}

func TestAnswersThatAreLost(t *testing.T) {
	for _, row := range []struct {
		name, fault string
		reached     int32
		body        string // what arrives of it
		fails       bool
	}{
		{"cut before", `{"kind":"cut"}`, 0, "", true},
		{"cut after", `{"kind":"cut","when":"after"}`, 1, "", true},
		{"reset before", `{"kind":"reset"}`, 0, "", true},
		{"reset after", `{"kind":"reset","when":"after"}`, 1, "", true},
		{"time-out before", `{"kind":"timeout","ms":100}`, 0, "", true},
		{"time-out after", `{"kind":"timeout","when":"after","ms":100}`, 1, "", true},
		{"half", `{"kind":"half"}`, 1, answerBody[:len(answerBody)/2], true},
		{"truncate", `{"kind":"truncate"}`, 1, answerBody[:len(answerBody)/2], false},
		{"status after", `{"kind":"status","when":"after","status":504,"body":"x"}`, 1, "x", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := start(t)
			b.fault(`{"fault":` + row.fault + `}`)
			_, body, err := b.ask("POST", "/api/v1/namespaces/d/configmaps")
			if (err != nil) != row.fails || body != row.body || b.reached.Load() != row.reached {
				t.Fatal(body, err, b.reached.Load())
			}
			if _, body, err := b.ask("POST", "/api/v1/namespaces/d/configmaps"); err != nil || body != answerBody {
				t.Fatal("the next one fails too:", body, err)
			}
		})
	}
}

func TestDelay(t *testing.T) {
	b := start(t)
	b.fault(`{"fault":{"kind":"delay","ms":300}}`)
	began := time.Now()
	if _, _, err := b.ask("GET", "/api"); err != nil || time.Since(began) < 300*time.Millisecond {
		t.Fatal(err, time.Since(began))
	}
}

func TestGoawayMakesTheClientReconnect(t *testing.T) {
	b := start(t)
	clients := func() []string {
		var log struct{ Requests []struct{ Client string } }
		_, all := b.control("GET", "/log", "")
		if err := json.Unmarshal([]byte(all), &log); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range log.Requests {
			names = append(names, r.Client)
		}
		return names
	}
	b.fault(`{"match":{"nth":2},"fault":{"kind":"goaway"}}`)
	for range 2 {
		if _, body, err := b.ask("GET", "/api"); err != nil || body != answerBody {
			t.Fatal(body, err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	if _, _, err := b.ask("GET", "/api"); err != nil {
		t.Fatal(err)
	}
	if c := clients(); c[0] != c[1] || c[1] == c[2] {
		t.Fatal(c)
	}
}

const event = `{"type":"ADDED","object":{"n":%d}}` + "\n"

func TestWatches(t *testing.T) {
	three := fmt.Sprintf(event+event+event, 1, 2, 3)
	for _, row := range []struct {
		name, fault string
		body        string
		contains    string
		fails       bool
	}{
		{"410 at once", `{"kind":"watch-error"}`, "", `{"object":{"apiVersion":"v1","code":410,"kind":"Status"`, false},
		{"410 later", `{"kind":"watch-error","status":410,"afterEvents":2}`, fmt.Sprintf(event+event, 1, 2), `"type":"ERROR"`, false},
		{"end", `{"kind":"end","afterEvents":1}`, fmt.Sprintf(event, 1), "", false},
		{"cut", `{"kind":"cut","afterEvents":3}`, three, "", true},
		{"reset", `{"kind":"reset","afterEvents":3}`, three, "", true},
		{"half an event", `{"kind":"half","afterEvents":1}`, fmt.Sprintf(event, 1), "", true},
		{"cut once opened", `{"kind":"cut","when":"after"}`, "", "", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := start(t)
			b.fault(`{"match":{"watch":true},"fault":` + row.fault + `}`)
			_, body, err := b.ask("GET", "/api/v1/configmaps?watch=1")
			if (err != nil) != row.fails || !strings.HasPrefix(body, row.body) || !strings.Contains(body, row.contains) {
				t.Fatal(body, err)
			}
			if row.name == "half an event" && len(body) != len(row.body)+len(fmt.Sprintf(event, 2))/2 {
				t.Fatal(body)
			}
		})
	}
}

func TestCutWatches(t *testing.T) {
	for how, clean := range map[string]bool{"cut": false, "reset": false, "end": true} {
		t.Run(how, func(t *testing.T) {
			b := start(t)
			answer, err := b.client.Get(b.url + "/api/v1/configmaps?watch=true")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			lines := bufio.NewReader(answer.Body)
			for range 3 {
				if _, err := lines.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			if _, all := b.control("POST", "/cut-watches", `{"how":"`+how+`"}`); strings.TrimSpace(all) != `{"ended":1}` {
				t.Fatal(all)
			}
			if _, err := lines.ReadString('\n'); (err == io.EOF) != clean {
				t.Fatal(err)
			}
			if _, all := b.control("POST", "/cut-watches", ""); strings.TrimSpace(all) != `{"ended":0}` {
				t.Fatal(all)
			}
		})
	}
}

func TestDownAndUp(t *testing.T) {
	b := start(t)
	if _, _, err := b.ask("GET", "/api"); err != nil {
		t.Fatal(err)
	}
	b.control("POST", "/down", "")
	if _, _, err := b.ask("GET", "/api"); err == nil {
		t.Fatal("it answers")
	}
	b.control("POST", "/up", "")
	if _, _, err := b.ask("GET", "/api"); err != nil {
		t.Fatal(err)
	}
}

func TestLogCounts(t *testing.T) {
	b := start(t)
	b.fault(`{"match":{"method":"DELETE"},"fault":{"kind":"status","status":409}}`)
	for _, method := range []string{"GET", "GET", "DELETE"} {
		if _, _, err := b.ask(method, "/apis/apps/v1/namespaces/d/deployments/x?a=b"); err != nil {
			t.Fatal(err)
		}
	}
	_, all := b.control("GET", "/log", "")
	for _, want := range []string{`"last":3`, `{"method":"GET","path":"/apis/apps/v1/namespaces/d/deployments/x","code":200,"count":2}`,
		`"code":409,"count":1`, `"seq":3`, `"fault":"status"`, `"verb":"delete"`, `"namespace":"d"`} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in %s", want, all)
		}
	}
	if _, all := b.control("GET", "/log?since=2", ""); strings.Contains(all, `"seq":2`) || !strings.Contains(all, `"seq":3`) {
		t.Fatal(all)
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	b := start(t)
	for _, body := range []string{`{"fault":{"kind":"nonsense"}}`, `{"fault":{"kind":"status"}}`, `{"fault":{"kind":"cut"},"tmes":2}`,
		`{"match":{"pathRegex":"("},"fault":{"kind":"cut"}}`, `{"fault":{"kind":"half","when":"after"}}`, `[null]`, ``, `{"fault":{"kind":"delay"}}`} {
		if code, all := b.control("POST", "/faults", body); code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, code, all)
		}
	}
}

func TestEndsWithItsInput(t *testing.T) {
	b := start(t)
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

func TestParse(t *testing.T) {
	for _, row := range []struct{ method, url, contentType, want string }{
		{"GET", "/api/v1/namespaces", "", "list  namespaces  "},
		{"GET", "/api/v1/namespaces/a", "", "get  namespaces  a"},
		{"PUT", "/api/v1/namespaces/a/finalize", "", "update  namespaces/finalize  a"},
		{"GET", "/api/v1/namespaces/a/pods?watch=true", "", "watch  pods a "},
		{"DELETE", "/api/v1/namespaces/a/pods", "", "deletecollection  pods a "},
		{"PATCH", "/apis/apps/v1/namespaces/a/deployments/b/status", "application/apply-patch+yaml", "apply apps deployments/status a b"},
		{"PATCH", "/apis/apps/v1/namespaces/a/deployments/b", "application/merge-patch+json", "patch apps deployments a b"},
		{"POST", "/apis/davit.dev/v1alpha1/packagerepositories", "", "create davit.dev packagerepositories  "},
		{"GET", "/readyz", "", "get    "},
		{"GET", "/apis/apps/v1", "", "get    "},
	} {
		r := httptest.NewRequest(row.method, row.url, nil)
		r.Header.Set("Content-Type", row.contentType)
		a := parse(r)
		if got := fmt.Sprintf("%s %s %s %s %s", a.verb, a.group, a.resource, a.namespace, a.name); got != row.want {
			t.Errorf("%s %s: %q", row.method, row.url, got)
		}
	}
}
