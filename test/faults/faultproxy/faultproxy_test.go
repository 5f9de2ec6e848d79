// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"davit.dev/test/faults/internal/faulttest"
)

const answerBody = `{"kind":"ConfigMap","metadata":{"name":"a"}}`

// bench is a proxy before a server that counts what reaches it.
type bench struct {
	*faulttest.Server
	url     string
	reached atomic.Int32
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
	b := &bench{}
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	upstream.EnableHTTP2 = true
	upstream.StartTLS()
	t.Cleanup(func() {
		upstream.CloseClientConnections()
		upstream.Close()
	})
	pair := faulttest.MakePair(t)
	s := settings{
		upstream: upstream.URL, upstreamCA: faulttest.WritePEM(t, "CERTIFICATE", upstream.Certificate().Raw),
		cert: pair.CertFile, key: pair.KeyFile, listen: "127.0.0.1:0", adminListen: "127.0.0.1:0",
	}
	b.Server = faulttest.Start(t, s.run, pair.Leaf)
	b.url = "https://" + b.Ready.Listen
	return b
}

func (b *bench) ask(method, path string) (*http.Response, string, error) {
	return b.Ask(method, b.url+path, map[string]string{"POST": "sent"}[method], "Authorization", "Bearer t")
}

func (b *bench) fault(rule string) { b.Must("/faults", rule) }

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
		_, all := b.Control("GET", "/log", "")
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
			answer, err := b.Client.Get(b.url + "/api/v1/configmaps?watch=true")
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
			if _, all := b.Control("POST", "/cut-watches", `{"how":"`+how+`"}`); strings.TrimSpace(all) != `{"ended":1}` {
				t.Fatal(all)
			}
			if _, err := lines.ReadString('\n'); (err == io.EOF) != clean {
				t.Fatal(err)
			}
			if _, all := b.Control("POST", "/cut-watches", ""); strings.TrimSpace(all) != `{"ended":0}` {
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
	b.Control("POST", "/down", "")
	if _, _, err := b.ask("GET", "/api"); err == nil {
		t.Fatal("it answers")
	}
	b.Control("POST", "/up", "")
	if _, _, err := b.ask("GET", "/api"); err != nil {
		t.Fatal(err)
	}
}

func TestLogTellsWhatIsMeant(t *testing.T) {
	b := start(t)
	b.fault(`{"match":{"method":"DELETE"},"fault":{"kind":"status","status":409}}`)
	for _, method := range []string{"GET", "GET", "DELETE"} {
		if _, _, err := b.ask(method, "/apis/apps/v1/namespaces/d/deployments/x?a=b"); err != nil {
			t.Fatal(err)
		}
	}
	_, all := b.Control("GET", "/log", "")
	faulttest.Contains(t, all, `{"method":"GET","path":"/apis/apps/v1/namespaces/d/deployments/x","code":200,"count":2}`,
		`"code":409,"count":1`, `"fault":"status"`, `"verb":"delete"`, `"resource":"deployments"`, `"namespace":"d"`, `"name":"x"`)
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	start(t).Refuses(`{"fault":{"kind":"nonsense"}}`, `{"fault":{"kind":"half","when":"after"}}`, `{"fault":{"kind":"cut","when":"later"}}`,
		`{"fault":{"kind":"delay","ms":1,"afterEvents":1}}`, `{"fault":{"kind":"end","afterEvents":-1}}`)
}

func TestEndsWithItsInput(t *testing.T) {
	start(t).EndsWithItsInput()
}

func TestMatchesByMeaning(t *testing.T) {
	status := "/apis/apps/v1/namespaces/a/deployments/b/status"
	for _, row := range []struct {
		match, method, url, contentType string
		want                            bool
	}{
		{`{}`, "GET", "/readyz", "", true},
		{`{"verb":"watch"}`, "GET", "/api/v1/pods?watch=1", "", true},
		{`{"verb":"watch"}`, "GET", "/api/v1/pods", "", false},
		{`{"verb":"patch"}`, "PATCH", status, "application/apply-patch+yaml", true},
		{`{"verb":"apply"}`, "PATCH", status, "application/merge-patch+json", false},
		{`{"group":""}`, "GET", "/api/v1/pods", "", true},
		{`{"group":""}`, "GET", "/readyz", "", false},
		{`{"group":"apps"}`, "GET", "/api/v1/pods", "", false},
		{`{"resource":"deployments/status"}`, "PUT", status, "", true},
		{`{"resource":"deployments"}`, "PUT", status, "", false},
		{`{"namespace":"a","name":"b"}`, "PUT", status, "", true},
		{`{"namespace":"b"}`, "PUT", status, "", false},
		{`{"name":"a"}`, "PUT", status, "", false},
		{`{"watch":false}`, "GET", "/api/v1/pods", "", true},
		{`{"watch":false}`, "GET", "/api/v1/pods?watch=true", "", false},
		{`{"verb":"list","method":"POST"}`, "GET", "/api/v1/pods", "", false},
	} {
		var m match
		if err := json.Unmarshal([]byte(row.match), &m); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(row.method, row.url, nil)
		r.Header.Set("Content-Type", row.contentType)
		if m.Matches(r) != row.want {
			t.Errorf("%s: %s %s: %v", row.match, row.method, row.url, !row.want)
		}
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
