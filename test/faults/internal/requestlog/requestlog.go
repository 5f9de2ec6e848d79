// SPDX-License-Identifier: Apache-2.0

// Package requestlog remembers what a fault server was asked. The control port gets, at a path that the server chooses,
//
//	GET     every request with its sequence number, and counts per method, path and code (?since=N: those after it)
//	DELETE  forgets them; sequence numbers go on
package requestlog

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"

	"davit.dev/test/faults/internal/control"
)

// maxLogged bounds how many requests are remembered; the oldest go first.
const maxLogged = 200_000

// Entry is what the entries of every server have.
type Entry struct {
	Seq       int     `json:"seq"`
	Time      string  `json:"time"`
	Method    string  `json:"method"`
	Path      string  `json:"path"` // with its query
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

// Log is what was asked, in the order of arrival. E is the server's own type of entries.
type Log[E any] struct {
	common func(*E) *Entry

	mu      sync.Mutex
	last    int
	entries []*E
}

// New makes an empty log. common finds the Entry that an E embeds.
func New[E any](common func(*E) *Entry) *Log[E] { return &Log[E]{common: common} }

// Begin takes e, fills in what every request has, and remembers it. From now on it is the log's.
func (l *Log[E]) Begin(e *E, r *http.Request) {
	c := l.common(e)
	c.began = time.Now()
	c.Time = c.began.UTC().Format(time.RFC3339Nano)
	c.Method, c.Path, c.path = r.Method, r.URL.RequestURI(), r.URL.Path
	c.UserAgent, c.Proto, c.Client, c.Open = r.UserAgent(), r.Proto, r.RemoteAddr, true
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	c.Seq = l.last
	if len(l.entries) >= maxLogged {
		l.entries = slices.Clone(l.entries[maxLogged/2:])
	}
	l.entries = append(l.entries, e)
}

// End says that e is over; fill writes to it what was answered.
func (l *Log[E]) End(e *E, fill func(*E)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fill(e)
	c := l.common(e)
	c.Open = false
	c.Ms = float64(time.Since(c.began).Microseconds()) / 1000
}

// Forget drops all entries. Those that are not over are ended all the same, unseen.
func (l *Log[E]) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// Page is a part of the log.
type Page[E any] struct {
	Counts   []Count `json:"counts"`
	Last     int     `json:"last"`
	Requests []E     `json:"requests"`
}

// Count tells how many requests were answered in one way.
type Count struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Code   int    `json:"code"`
	Count  int    `json:"count"`
}

// Since returns the entries after that sequence number and their counts.
func (l *Log[E]) Since(seq int) Page[E] {
	l.mu.Lock()
	defer l.mu.Unlock()
	page := Page[E]{Counts: []Count{}, Last: l.last, Requests: []E{}}
	byKey := map[Count]int{}
	for _, e := range l.entries {
		if c := l.common(e); c.Seq > seq {
			page.Requests = append(page.Requests, *e)
			byKey[Count{c.Method, c.path, c.Code, 0}]++
		}
	}
	for key, n := range byKey {
		key.Count = n
		page.Counts = append(page.Counts, key)
	}
	sort.Slice(page.Counts, func(i, j int) bool {
		a, b := page.Counts[i], page.Counts[j]
		return fmt.Sprint(a.Path, " ", a.Method, a.Code) < fmt.Sprint(b.Path, " ", b.Method, b.Code)
	})
	return page
}

// Mount lets the log be read at path.
func (l *Log[E]) Mount(h *control.Handler, path string) {
	h.Handle("GET "+path, func(r *http.Request) (any, error) {
		seq, err := control.Number(r, "since")
		if err != nil {
			return nil, err
		}
		return l.Since(seq), nil
	})
	h.Do("DELETE "+path, func(*http.Request) error {
		l.Forget()
		return nil
	})
}
