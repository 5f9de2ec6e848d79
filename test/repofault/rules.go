// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// match says which requests a rule is about; what is left out matches everything.
type match struct {
	Method     string `json:"method,omitempty"`
	Path       string `json:"path,omitempty"`
	PathPrefix string `json:"pathPrefix,omitempty"`
	PathRegex  string `json:"pathRegex,omitempty"` // found anywhere in the path with its query
	UserAgent  string `json:"userAgent,omitempty"` // a part of it
	Nth        int    `json:"nth,omitempty"`       // from the nth such request on; 1 when left out

	pathRegex *regexp.Regexp
}

// fault says what happens to a request. Headers are added to the answer, whatever the kind.
type fault struct {
	// Kind is one of
	//
	//	status         answers with Status and Body
	//	replace        answers with Body in the place of the file: other bytes under the same name
	//	headers        answers as usual, with Headers (which may lie: Content-Encoding, ETag, ...)
	//	no-validators  answers without ETag and Last-Modified, and never with 304
	//	cut            closes the connection without an answer
	//	timeout        never answers (or, with Ms, closes the connection after that long)
	//	delay          waits Ms, then goes on as usual
	//	slow           sends BytesPerSecond
	//	half           says the whole Content-Length, sends half of it, and closes the connection
	//	redirect       redirects to To, a URL or a path, with Status (302)
	//	redirect-loop  redirects to itself, without end
	//	huge           sends Bytes of nothing in particular, or without end when that is 0; Length: says how many ahead
	Kind           string            `json:"kind"`
	Status         int               `json:"status,omitempty"`
	Body           string            `json:"body,omitempty"`
	Headers        map[string]string `json:"headers,omitempty"`
	Ms             int               `json:"ms,omitempty"`
	BytesPerSecond int               `json:"bytesPerSecond,omitempty"`
	Bytes          int64             `json:"bytes,omitempty"`
	Length         bool              `json:"length,omitempty"`
	To             string            `json:"to,omitempty"`
}

type rule struct {
	ID      int   `json:"id"`
	Match   match `json:"match"`
	Fault   fault `json:"fault"`
	Times   *int  `json:"times,omitempty"` // how often it fires: 1 when left out, 0 without end
	Matched int   `json:"matched"`
	Fired   int   `json:"fired"`
}

var kinds = []string{"status", "replace", "headers", "no-validators", "cut", "timeout", "delay", "slow", "half", "redirect",
	"redirect-loop", "huge"}

func (r *rule) check() error {
	f := &r.Fault
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault.kind %q is none of %s", f.Kind, strings.Join(kinds, " "))
	case r.Match.Nth < 0 || f.Ms < 0 || f.Bytes < 0 || f.BytesPerSecond < 0 || r.Times != nil && *r.Times < 0:
		return errors.New("a number is negative")
	case f.Kind == "delay" && f.Ms == 0:
		return errors.New("fault.ms is missing")
	case f.Kind == "slow" && f.BytesPerSecond == 0:
		return errors.New("fault.bytesPerSecond is missing")
	case f.Kind == "redirect" && f.To == "":
		return errors.New("fault.to is missing")
	case f.Kind == "status" && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault.status %d is no final HTTP status", f.Status)
	}
	if r.Match.PathRegex != "" {
		re, err := regexp.Compile(r.Match.PathRegex)
		if err != nil {
			return err
		}
		r.Match.pathRegex = re
	}
	return nil
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
		return nil, errors.New("there is no rule in it")
	}
	for _, r := range rules {
		if r == nil {
			return nil, errors.New("a rule is null")
		}
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func (m *match) matches(r *http.Request) bool {
	return (m.Method == "" || strings.EqualFold(m.Method, r.Method)) &&
		(m.Path == "" || m.Path == r.URL.Path) &&
		strings.HasPrefix(r.URL.Path, m.PathPrefix) &&
		(m.pathRegex == nil || m.pathRegex.MatchString(r.URL.RequestURI())) &&
		strings.Contains(r.UserAgent(), m.UserAgent)
}

// ruleSet is the rules now in force, in the order they came.
type ruleSet struct {
	mu    sync.Mutex
	last  int
	rules []*rule
}

// add puts rules into force and returns them with their ids.
func (s *ruleSet) add(rules []*rule) []rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := []rule{}
	for _, r := range rules {
		s.last++
		r.ID, r.Matched, r.Fired = s.last, 0, 0
		s.rules = append(s.rules, r)
		added = append(added, *r)
	}
	return added
}

// remove takes the rule with that id away, or all when id is 0.
func (s *ruleSet) remove(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.DeleteFunc(s.rules, func(r *rule) bool { return id == 0 || r.ID == id })
}

func (s *ruleSet) list() []rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []rule{}
	for _, r := range s.rules {
		all = append(all, *r)
	}
	return all
}

// pick counts the request for every rule that it matches and returns the fault of the first that fires.
func (s *ruleSet) pick(r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var picked *fault
	for _, rule := range s.rules {
		if !rule.Match.matches(r) {
			continue
		}
		rule.Matched++
		times := 1
		if rule.Times != nil {
			times = *rule.Times
		}
		if picked == nil && rule.Matched >= rule.Match.Nth && (times == 0 || rule.Fired < times) {
			rule.Fired++
			f := rule.Fault
			picked = &f
		}
	}
	return picked
}
