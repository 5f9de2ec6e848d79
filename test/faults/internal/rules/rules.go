// SPDX-License-Identifier: Apache-2.0

// Package rules keeps what a fault server is asked to do, and tells which fault a request meets. A rule is
//
//	{"match": {...}, "fault": {...}, "times": 1}
//
// where match is a Match, or a type that embeds it, and fault a type that embeds Fault. The control port gets these paths:
//
//	POST   /faults  a rule, or a list of them; answers them with their ids
//	GET    /faults  the rules, with how often each matched and fired
//	DELETE /faults  takes all rules away (or one: ?id=N)
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"davit.dev/test/faults/internal/control"
)

// Match says which requests a rule is about; what is left out matches everything.
type Match struct {
	Method     string         `json:"method,omitempty"`
	Path       string         `json:"path,omitempty"` // the whole path, without the query
	PathPrefix string         `json:"pathPrefix,omitempty"`
	PathRegex  *regexp.Regexp `json:"pathRegex,omitempty"` // found anywhere in the path with its query
	UserAgent  string         `json:"userAgent,omitempty"` // a part of it
	Nth        int            `json:"nth,omitempty"`       // from the nth such request on; 1 when left out
}

func (m Match) Matches(r *http.Request) bool {
	return (m.Method == "" || strings.EqualFold(m.Method, r.Method)) &&
		(m.Path == "" || m.Path == r.URL.Path) &&
		strings.HasPrefix(r.URL.Path, m.PathPrefix) &&
		(m.PathRegex == nil || m.PathRegex.MatchString(r.URL.RequestURI())) &&
		strings.Contains(r.UserAgent(), m.UserAgent)
}

func (m Match) nth() int { return m.Nth }

// matcher is a Match, or a type that embeds one and may ask for more.
type matcher interface {
	Matches(r *http.Request) bool
	nth() int
}

// Fault is what the faults of every server can have.
type Fault struct {
	Kind   string `json:"kind"`
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	Ms     int    `json:"ms,omitempty"`
}

// ErrNegative is the answer to a number that cannot be less than nothing.
var ErrNegative = errors.New("a number is negative")

// Check says what is wrong with a fault whose kind has to be one of kinds.
func (f *Fault) Check(kinds []string) error {
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault.kind %q is none of %s", f.Kind, strings.Join(kinds, " "))
	case f.Ms < 0:
		return ErrNegative
	case f.Kind == "delay" && f.Ms == 0:
		return errors.New("fault.ms is missing")
	case f.Kind == "status" && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault.status %d is no final HTTP status", f.Status)
	}
	return nil
}

// Rule makes a fault of those requests that match.
type Rule[M matcher, F any] struct {
	ID      int  `json:"id"`
	Match   M    `json:"match"`
	Fault   F    `json:"fault"`
	Times   *int `json:"times,omitempty"` // how often it fires: 1 when left out, 0 without end
	Matched int  `json:"matched"`
	Fired   int  `json:"fired"`
}

// meets counts a request that may match, and says whether the rule would fire.
func (r *Rule[M, F]) meets(request *http.Request) bool {
	if !r.Match.Matches(request) {
		return false
	}
	r.Matched++
	times := 1
	if r.Times != nil {
		times = *r.Times
	}
	return r.Matched >= r.Match.nth() && (times == 0 || r.Fired < times)
}

// Set is the rules now in force, in the order they came.
type Set[M matcher, F any] struct {
	check func(*F) error

	mu    sync.Mutex
	last  int
	rules []*Rule[M, F]
}

// NewSet makes an empty set. check says what is wrong with a fault, and may fill in what was left out.
func NewSet[M matcher, F any](check func(*F) error) *Set[M, F] { return &Set[M, F]{check: check} }

// decode reads one rule or a list of them. A field that no rule has is an error: a typo must not make a test pass.
func (s *Set[M, F]) decode(body []byte) ([]*Rule[M, F], error) {
	var rules []*Rule[M, F]
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		body = slices.Concat([]byte("["), body, []byte("]"))
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rules); err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		return nil, errors.New("there is no rule in it")
	}
	for _, r := range rules {
		if r == nil {
			return nil, errors.New("a rule is null")
		}
		if r.Match.nth() < 0 || r.Times != nil && *r.Times < 0 {
			return nil, ErrNegative
		}
		if err := s.check(&r.Fault); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// Add puts rules into force, all of them or none, and returns them with their ids.
func (s *Set[M, F]) Add(body []byte) ([]Rule[M, F], error) {
	rules, err := s.decode(body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rules {
		s.last++
		r.ID, r.Matched, r.Fired = s.last, 0, 0
	}
	s.rules = append(s.rules, rules...)
	return copied(rules), nil
}

// Remove takes the rule with that id away, or all when id is 0.
func (s *Set[M, F]) Remove(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.DeleteFunc(s.rules, func(r *Rule[M, F]) bool { return id == 0 || r.ID == id })
}

func (s *Set[M, F]) List() []Rule[M, F] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copied(s.rules)
}

func copied[M matcher, F any](rules []*Rule[M, F]) []Rule[M, F] {
	copies := []Rule[M, F]{} // for JSON, which tells no rules from null
	for _, r := range rules {
		copies = append(copies, *r)
	}
	return copies
}

// Pick counts the request for every rule that it matches and returns the fault of the first that fires, or nil.
func (s *Set[M, F]) Pick(request *http.Request) *F {
	s.mu.Lock()
	defer s.mu.Unlock()
	var picked *F
	for _, rule := range s.rules {
		if rule.meets(request) && picked == nil {
			rule.Fired++
			f := rule.Fault
			picked = &f
		}
	}
	return picked
}

// Mount lets the set be controlled.
func (s *Set[M, F]) Mount(h *control.Handler) {
	h.Handle("POST /faults", func(r *http.Request) (any, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		return s.Add(body)
	})
	h.Handle("GET /faults", func(*http.Request) (any, error) { return s.List(), nil })
	h.Handle("DELETE /faults", func(r *http.Request) (any, error) {
		id, err := control.Number(r, "id")
		if err != nil {
			return nil, err
		}
		s.Remove(id)
		return s.List(), nil
	})
}
