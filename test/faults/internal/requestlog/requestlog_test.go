// SPDX-License-Identifier: Apache-2.0

package requestlog

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"davit.dev/test/faults/internal/control"
)

type entry struct {
	Entry
	Extra string `json:"extra"`
}

func newLog() *Log[entry] { return New(func(e *entry) *Entry { return &e.Entry }) }

// answered logs a request that got that code.
func answered(l *Log[entry], method, url string, code int) {
	e := &entry{Extra: "x"}
	l.Begin(e, httptest.NewRequest(method, url, nil))
	l.End(e, func(e *entry) { e.Code = code })
}

func TestCountsByMethodPathAndCode(t *testing.T) {
	l := newLog()
	answered(l, "GET", "/b?x=1", 200)
	answered(l, "GET", "/b?x=2", 200)
	answered(l, "PUT", "/b", 200)
	answered(l, "GET", "/b", 409)
	answered(l, "GET", "/a", 200)
	want := []Count{{"GET", "/a", 200, 1}, {"GET", "/b", 200, 2}, {"GET", "/b", 409, 1}, {"PUT", "/b", 200, 1}}
	if page := l.Since(0); !slices.Equal(page.Counts, want) || len(page.Requests) != 5 || page.Last != 5 {
		t.Fatal(page)
	}
	if page := l.Since(4); !slices.Equal(page.Counts, want[:1]) || len(page.Requests) != 1 || page.Requests[0].Seq != 5 {
		t.Fatal(page)
	}
}

func TestEntryIsOpenUntilItsEnd(t *testing.T) {
	l := newLog()
	e := &entry{}
	l.Begin(e, httptest.NewRequest("GET", "/a?x", nil))
	if r := l.Since(0).Requests[0]; !r.Open || r.Code != 0 || r.Path != "/a?x" || r.Proto != "HTTP/1.1" || r.Client == "" || r.Time == "" {
		t.Fatal(r)
	}
	l.End(e, func(e *entry) { e.Code = 200 })
	if r := l.Since(0).Requests[0]; r.Open || r.Code != 200 {
		t.Fatal(r)
	}
}

func TestForgetsTheOlderHalfWhenItIsFull(t *testing.T) {
	l := newLog()
	r := httptest.NewRequest("GET", "/", nil)
	for range maxLogged + 1 {
		l.Begin(&entry{}, r)
	}
	if page := l.Since(0); len(page.Requests) != maxLogged/2+1 || page.Last != maxLogged+1 || page.Requests[0].Seq != maxLogged/2+1 {
		t.Fatal(len(page.Requests), page.Last)
	}
}

func TestControlPortReadsAndForgets(t *testing.T) {
	l, h := newLog(), &control.Handler{}
	l.Mount(h, "/log")
	answered(l, "GET", "/a", 200)
	answered(l, "GET", "/b", 200)
	ask := func(method, url string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, url, nil))
		return w.Code, w.Body.String()
	}
	var page Page[entry]
	code, body := ask("GET", "/log?since=1")
	if err := json.Unmarshal([]byte(body), &page); err != nil || code != 200 || len(page.Requests) != 1 ||
		page.Requests[0].Path != "/b" || page.Requests[0].Extra != "x" {
		t.Fatal(code, body, err)
	}
	if code, body := ask("GET", "/log?since=x"); code != http.StatusBadRequest {
		t.Fatal(code, body)
	}
	if code, body := ask("DELETE", "/log"); code != 200 || body != "{}\n" {
		t.Fatal(code, body)
	}
	if _, body := ask("GET", "/log"); body != `{"counts":[],"last":2,"requests":[]}`+"\n" {
		t.Fatal(body)
	}
}

func TestRecorderKeepsTheFinalCodeAndTheSize(t *testing.T) {
	r := &Recorder{ResponseWriter: httptest.NewRecorder()}
	if r.WriteHeader(http.StatusEarlyHints); r.Code != 0 {
		t.Fatal(r.Code)
	}
	r = &Recorder{ResponseWriter: httptest.NewRecorder()}
	_, _ = r.Write([]byte("abc"))
	_, _ = r.Write([]byte("de"))
	if r.Code != 200 || r.Bytes != 5 {
		t.Fatal(r.Code, r.Bytes)
	}
	r = &Recorder{ResponseWriter: httptest.NewRecorder()}
	r.WriteHeader(404)
	if _, _ = r.Write(nil); r.Code != 404 {
		t.Fatal(r.Code)
	}
}
