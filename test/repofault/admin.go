// SPDX-License-Identifier: Apache-2.0

package main

import (
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

// requestLog is what was asked, in the order of arrival. It tells whether credentials came, never which.
type requestLog struct {
	mu      sync.Mutex
	last    int
	entries []*logEntry
}

type logEntry struct {
	Seq           int     `json:"seq"`
	Time          string  `json:"time"`
	Method        string  `json:"method"`
	Path          string  `json:"path"` // with its query
	Host          string  `json:"host"`
	UserAgent     string  `json:"userAgent,omitempty"`
	Proto         string  `json:"proto"`
	Client        string  `json:"client"` // the connection it came on
	Authorization bool    `json:"authorization,omitempty"`
	Certificate   bool    `json:"certificate,omitempty"`
	IfNoneMatch   string  `json:"ifNoneMatch,omitempty"`
	Range         string  `json:"range,omitempty"`
	Code          int     `json:"code"` // 0: none was sent, or not yet
	Bytes         int64   `json:"bytes"`
	Fault         string  `json:"fault,omitempty"` // the kind
	Open          bool    `json:"open,omitempty"`  // it is not finished
	Ms            float64 `json:"ms"`

	path  string
	began time.Time
}

func (l *requestLog) begin(r *http.Request, f *fault) *logEntry {
	now := time.Now()
	e := &logEntry{
		Time: now.UTC().Format(time.RFC3339Nano), Method: r.Method, Path: r.URL.RequestURI(), Host: r.Host,
		UserAgent: r.UserAgent(), Proto: r.Proto, Client: r.RemoteAddr, Authorization: r.Header.Get("Authorization") != "",
		Certificate: r.TLS != nil && len(r.TLS.VerifiedChains) > 0, IfNoneMatch: r.Header.Get("If-None-Match"),
		Range: r.Header.Get("Range"), Open: true, path: r.URL.Path, began: now,
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

func (l *requestLog) end(e *logEntry, code int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Code, e.Bytes = code, bytes
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

func reply(w http.ResponseWriter, body any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		body = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(body)
}

// number reads a query parameter that is a number, 0 when it is not there.
func number(r *http.Request, name string) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	return strconv.Atoi(text)
}

func adminHandler(p *repository, where *port) http.Handler {
	mux := http.NewServeMux()
	// What is done answers with what it returns, or with 400 and its error.
	handle := func(pattern string, do func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := do(r)
			reply(w, body, err)
		})
	}
	handle("POST /faults", func(r *http.Request) (any, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		rules, err := decodeRules(body)
		if err != nil {
			return nil, err
		}
		return p.rules.add(rules), nil
	})
	handle("GET /faults", func(r *http.Request) (any, error) { return p.rules.list(), nil })
	handle("DELETE /faults", func(r *http.Request) (any, error) {
		id, err := number(r, "id")
		if err != nil {
			return nil, err
		}
		p.rules.remove(id)
		return p.rules.list(), nil
	})
	handle("POST /auth", func(r *http.Request) (any, error) {
		var a auth
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&a); err != nil {
			return nil, err
		}
		return struct{}{}, p.setAuth(a)
	})
	for _, path := range []string{"/-/log", "/log"} {
		handle("GET "+path, func(r *http.Request) (any, error) {
			seq, err := number(r, "since")
			return p.log.since(seq), err
		})
		handle("DELETE "+path, func(r *http.Request) (any, error) {
			p.log.forget()
			return struct{}{}, nil
		})
	}
	handle("POST /down", func(r *http.Request) (any, error) {
		where.down()
		return struct{}{}, nil
	})
	handle("POST /up", func(r *http.Request) (any, error) { return struct{}{}, where.up() })
	return mux
}
