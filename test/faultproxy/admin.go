// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"time"
)

// maxLogged bounds how many requests are remembered; the oldest go first.
const maxLogged = 200_000

// requestLog is what was asked, in the order of arrival.
type requestLog struct {
	mu      sync.Mutex
	last    int
	entries []*logEntry
}

type logEntry struct {
	Seq       int     `json:"seq"`
	Time      string  `json:"time"`
	Method    string  `json:"method"`
	Path      string  `json:"path"` // with its query
	Verb      string  `json:"verb"`
	Resource  string  `json:"resource,omitempty"`
	Namespace string  `json:"namespace,omitempty"`
	Name      string  `json:"name,omitempty"`
	UserAgent string  `json:"userAgent,omitempty"`
	Proto     string  `json:"proto"`
	Client    string  `json:"client"`          // the connection it came on
	Code      int     `json:"code"`            // 0: none was sent, or not yet
	Fault     string  `json:"fault,omitempty"` // the kind
	Open      bool    `json:"open,omitempty"`  // it is not finished
	Ms        float64 `json:"ms"`

	path  string
	began time.Time
}

func (l *requestLog) begin(r *http.Request, a apiRequest, f *fault) *logEntry {
	now := time.Now()
	e := &logEntry{
		Time: now.UTC().Format(time.RFC3339Nano), Method: r.Method, Path: r.URL.RequestURI(), Verb: a.verb, Resource: a.resource,
		Namespace: a.namespace, Name: a.name, UserAgent: r.UserAgent(), Proto: r.Proto, Client: r.RemoteAddr, Open: true,
		path: r.URL.Path, began: now,
	}
	if f != nil {
		e.Fault = f.Kind
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.Seq = l.last
	if len(l.entries) >= maxLogged {
		l.entries = append([]*logEntry{}, l.entries[maxLogged/2:]...)
	}
	l.entries = append(l.entries, e)
	return e
}

func (l *requestLog) end(e *logEntry, code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Code = code
	e.Open = false
	e.Ms = float64(time.Since(e.began).Microseconds()) / 1000
}

func (l *requestLog) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

type logCount struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Code   int    `json:"code"`
	Count  int    `json:"count"`
}

// since returns the entries after that sequence number and their counts.
func (l *requestLog) since(seq int) map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, counts := []logEntry{}, []logCount{}
	byKey := map[logCount]int{}
	for _, e := range l.entries {
		if e.Seq > seq {
			entries = append(entries, *e)
			byKey[logCount{e.Method, e.path, e.Code, 0}]++
		}
	}
	for key, n := range byKey {
		key.Count = n
		counts = append(counts, key)
	}
	sort.Slice(counts, func(i, j int) bool {
		a, b := counts[i], counts[j]
		return fmt.Sprint(a.Path, " ", a.Method, a.Code) < fmt.Sprint(b.Path, " ", b.Method, b.Code)
	})
	return map[string]any{"last": l.last, "requests": entries, "counts": counts}
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, err error) {
	reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
}

// decodeRules reads one rule or a list of them. A field that no rule has is an error: a typo must not make a test pass.
func decodeRules(body []byte) ([]*rule, error) {
	var rules []*rule
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		body = append(append([]byte("["), body...), ']')
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rules); err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("there is no rule in it")
	}
	for _, r := range rules {
		if r == nil {
			return nil, fmt.Errorf("a rule is null")
		}
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// number reads a query parameter that is a number, 0 when it is not there.
func number(r *http.Request, name string) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	return strconv.Atoi(text)
}

func adminHandler(p *proxy, g *gate) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			refuse(w, err)
			return
		}
		rules, err := decodeRules(body)
		if err != nil {
			refuse(w, err)
			return
		}
		reply(w, http.StatusOK, p.rules.add(rules))
	})
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, p.rules.list()) })
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, r *http.Request) {
		id, err := number(r, "id")
		if err != nil {
			refuse(w, err)
			return
		}
		p.rules.remove(id)
		reply(w, http.StatusOK, p.rules.list())
	})
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, r *http.Request) {
		seq, err := number(r, "since")
		if err != nil {
			refuse(w, err)
			return
		}
		reply(w, http.StatusOK, p.log.since(seq))
	})
	mux.HandleFunc("DELETE /log", func(w http.ResponseWriter, r *http.Request) {
		p.log.forget()
		reply(w, http.StatusOK, struct{}{})
	})
	mux.HandleFunc("POST /cut-watches", func(w http.ResponseWriter, r *http.Request) {
		var wish struct {
			How string `json:"how"`
		}
		if err := json.NewDecoder(r.Body).Decode(&wish); err != nil && err != io.EOF {
			refuse(w, err)
			return
		}
		how, known := map[string]error{"": errCut, "cut": errCut, "reset": errReset, "end": io.EOF}[wish.How]
		if !known {
			refuse(w, fmt.Errorf("how is one of cut reset end, not %q", wish.How))
			return
		}
		reply(w, http.StatusOK, map[string]int{"ended": p.watches.endAll(how)})
	})
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, r *http.Request) {
		g.set(true)
		reply(w, http.StatusOK, struct{}{})
	})
	mux.HandleFunc("POST /up", func(w http.ResponseWriter, r *http.Request) {
		g.set(false)
		reply(w, http.StatusOK, struct{}{})
	})
	return mux
}
