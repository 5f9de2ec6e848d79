// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"davit.dev/test/faults/internal/rules"
)

// match says which requests a rule is about; what is left out matches everything.
type match struct {
	rules.Match
	Verb      string  `json:"verb,omitempty"`     // get list watch create update patch apply delete deletecollection; patch includes apply
	Group     *string `json:"group,omitempty"`    // "" is the core group
	Resource  string  `json:"resource,omitempty"` // deployments, or deployments/status
	Namespace string  `json:"namespace,omitempty"`
	Name      string  `json:"name,omitempty"`
	Watch     *bool   `json:"watch,omitempty"`
}

func (m match) Matches(r *http.Request) bool { return m.Match.Matches(r) && m.isAbout(parse(r)) }

func (m match) isAbout(a apiRequest) bool {
	return (m.Verb == "" || m.Verb == a.verb || m.Verb == "patch" && a.verb == "apply") &&
		(m.Group == nil || *m.Group == a.group && a.resource != "") &&
		(m.Resource == "" || m.Resource == a.resource) &&
		(m.Namespace == "" || m.Namespace == a.namespace) &&
		(m.Name == "" || m.Name == a.name) &&
		(m.Watch == nil || *m.Watch == (a.verb == "watch"))
}

// fault says what happens to a request. Its kind is one of
//
//	status       answers with Status and a Kubernetes Status object, or Body
//	cut          closes the connection, with all that runs on it
//	reset        resets this stream only (HTTP/2), or closes the connection (HTTP/1.1)
//	timeout      never answers (or, with Ms, closes the stream after that long)
//	delay        waits Ms, then goes on as usual
//	goaway       answers as usual and says GOAWAY: the client must open a new connection
//	half         sends half of the answer, then closes the connection
//	truncate     sends half of the answer, and ends it as if that were all
//	watch-error  an ERROR event with Status in a watch, which then ends
//	end          ends a watch cleanly, as the server does at its time-out
type fault struct {
	rules.Fault
	// When is "before" (default: the server never sees the request) or "after": the server has handled it, but its answer is
	// lost. For status, cut, reset and timeout.
	When string `json:"when,omitempty"`
	// AfterEvents lets so many events of a watch through first. For cut, reset, timeout, half, watch-error, end.
	AfterEvents int    `json:"afterEvents,omitempty"`
	Reason      string `json:"reason,omitempty"` // instead of the usual one of Status
	Message     string `json:"message,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	RetryAfter  int    `json:"retryAfter,omitempty"` // seconds
}

var (
	kinds     = []string{"status", "cut", "reset", "timeout", "delay", "goaway", "half", "truncate", "watch-error", "end"}
	withAfter = []string{"status", "cut", "reset", "timeout"}
	inWatches = []string{"cut", "reset", "timeout", "half", "watch-error", "end"}
)

func (f *fault) check() error {
	if err := f.Fault.Check(kinds); err != nil {
		return err
	}
	switch {
	case f.When != "" && f.When != "before" && f.When != "after":
		return fmt.Errorf("fault.when %q is neither before nor after", f.When)
	case f.When == "after" && !slices.Contains(withAfter, f.Kind):
		return fmt.Errorf("fault.when does not go with kind %s", f.Kind)
	case f.AfterEvents != 0 && !slices.Contains(inWatches, f.Kind):
		return fmt.Errorf("fault.afterEvents does not go with kind %s", f.Kind)
	case f.AfterEvents < 0:
		return rules.ErrNegative
	}
	if f.Kind == "watch-error" && f.Status == 0 {
		f.Status = http.StatusGone
	}
	return nil
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
