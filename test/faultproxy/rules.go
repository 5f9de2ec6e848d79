// SPDX-License-Identifier: Apache-2.0

package main

import (
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
	Method     string  `json:"method,omitempty"`
	Verb       string  `json:"verb,omitempty"` // get list watch create update patch apply delete deletecollection; patch includes apply
	Path       string  `json:"path,omitempty"` // the whole path, without the query
	PathPrefix string  `json:"pathPrefix,omitempty"`
	PathRegex  string  `json:"pathRegex,omitempty"` // found anywhere in the path with its query
	Group      *string `json:"group,omitempty"`     // "" is the core group
	Resource   string  `json:"resource,omitempty"`  // deployments, or deployments/status
	Namespace  string  `json:"namespace,omitempty"`
	Name       string  `json:"name,omitempty"`
	Watch      *bool   `json:"watch,omitempty"`
	UserAgent  string  `json:"userAgent,omitempty"` // a part of it
	Nth        int     `json:"nth,omitempty"`       // from the nth such request on; 1 when left out

	pathRegex *regexp.Regexp
}

// fault says what happens to a request.
type fault struct {
	// Kind is one of
	//
	//	status       answers with Status and a Kubernetes Status object
	//	cut          closes the connection, with all that runs on it
	//	reset        resets this stream only (HTTP/2), or closes the connection (HTTP/1.1)
	//	timeout      never answers (or, with Ms, closes the stream after that long)
	//	delay        waits Ms, then goes on as usual
	//	goaway       answers as usual and says GOAWAY: the client must open a new connection
	//	half         sends half of the answer, then closes the connection
	//	truncate     sends half of the answer, and ends it as if that were all
	//	watch-error  an ERROR event with Status in a watch, which then ends
	//	end          ends a watch cleanly, as the server does at its time-out
	Kind string `json:"kind"`
	// When is "before" (default: the server never sees the request) or "after": the server has handled it, but its answer is
	// lost. For status, cut, reset and timeout.
	When string `json:"when,omitempty"`
	// AfterEvents lets so many events of a watch through first. For cut, reset, timeout, half, watch-error, end.
	AfterEvents int    `json:"afterEvents,omitempty"`
	Status      int    `json:"status,omitempty"`
	Reason      string `json:"reason,omitempty"` // instead of the usual one of Status
	Message     string `json:"message,omitempty"`
	Body        string `json:"body,omitempty"` // instead of the Status object
	ContentType string `json:"contentType,omitempty"`
	RetryAfter  int    `json:"retryAfter,omitempty"` // seconds
	Ms          int    `json:"ms,omitempty"`
}

type rule struct {
	ID      int   `json:"id"`
	Match   match `json:"match"`
	Fault   fault `json:"fault"`
	Times   *int  `json:"times,omitempty"` // how often it fires: 1 when left out, 0 without end
	Matched int   `json:"matched"`
	Fired   int   `json:"fired"`
}

var (
	kinds     = []string{"status", "cut", "reset", "timeout", "delay", "goaway", "half", "truncate", "watch-error", "end"}
	withAfter = []string{"status", "cut", "reset", "timeout"}
	inWatches = []string{"cut", "reset", "timeout", "half", "watch-error", "end"}
)

func (r *rule) check() error {
	f := &r.Fault
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault.kind %q is none of %s", f.Kind, strings.Join(kinds, " "))
	case f.When != "" && f.When != "before" && f.When != "after":
		return fmt.Errorf("fault.when %q is neither before nor after", f.When)
	case f.When == "after" && !slices.Contains(withAfter, f.Kind):
		return fmt.Errorf("fault.when does not go with kind %s", f.Kind)
	case f.AfterEvents != 0 && !slices.Contains(inWatches, f.Kind):
		return fmt.Errorf("fault.afterEvents does not go with kind %s", f.Kind)
	case f.AfterEvents < 0 || r.Match.Nth < 0 || f.Ms < 0 || r.Times != nil && *r.Times < 0:
		return errors.New("a number is negative")
	case f.Kind == "delay" && f.Ms == 0:
		return errors.New("fault.ms is missing")
	case f.Kind == "status" && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault.status %d is no final HTTP status", f.Status)
	}
	if f.Kind == "watch-error" && f.Status == 0 {
		f.Status = http.StatusGone
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

func (m *match) matches(r *http.Request, a apiRequest) bool {
	verbMatches := m.Verb == "" || m.Verb == a.verb || m.Verb == "patch" && a.verb == "apply"
	return verbMatches &&
		(m.Method == "" || strings.EqualFold(m.Method, r.Method)) &&
		(m.Path == "" || m.Path == r.URL.Path) &&
		strings.HasPrefix(r.URL.Path, m.PathPrefix) &&
		(m.pathRegex == nil || m.pathRegex.MatchString(r.URL.RequestURI())) &&
		(m.Group == nil || *m.Group == a.group && a.resource != "") &&
		(m.Resource == "" || m.Resource == a.resource) &&
		(m.Namespace == "" || m.Namespace == a.namespace) &&
		(m.Name == "" || m.Name == a.name) &&
		(m.Watch == nil || *m.Watch == (a.verb == "watch")) &&
		strings.Contains(r.UserAgent(), m.UserAgent)
}

// apiRequest is what a request means to Kubernetes.
type apiRequest struct {
	verb, group, resource, namespace, name string
}

func parse(r *http.Request) apiRequest {
	var a apiRequest
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		a.group = parts[1]
		parts = parts[3:]
	default:
		a.verb = strings.ToLower(r.Method)
		return a
	}
	if parts[0] == "namespaces" && len(parts) > 1 {
		if len(parts) > 2 && parts[2] != "status" && parts[2] != "finalize" {
			a.namespace = parts[1]
			parts = parts[2:]
		}
	}
	a.resource = parts[0]
	if len(parts) > 1 {
		a.name = parts[1]
	}
	if len(parts) > 2 {
		a.resource += "/" + parts[2]
	}
	a.verb = verb(r, a.name != "")
	return a
}

func verb(r *http.Request, named bool) string {
	switch r.Method {
	case http.MethodGet:
		watch := r.URL.Query().Get("watch")
		if watch == "1" || watch == "true" {
			return "watch"
		}
		if named {
			return "get"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/apply-patch") {
			return "apply"
		}
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return strings.ToLower(r.Method)
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
func (s *ruleSet) pick(r *http.Request, a apiRequest) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var picked *fault
	for _, rule := range s.rules {
		if !rule.Match.matches(r, a) {
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
