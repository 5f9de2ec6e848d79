// SPDX-License-Identifier: Apache-2.0

// Package api is the least that a client of the Kubernetes API needs: requests over a fixed number of HTTP/1.1 connections
// that are kept, and a watch. It adds as little of its own as it can, because it is what others are measured against.
package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Connections is how many requests are in flight at most, each on a connection of its own.
const Connections = 16

const (
	maxAnswer = 64 << 20
	maxTries  = 8 // of one request, when the server asks to wait
)

// Request is one line of what is sent.
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"` // with its query
	Type   string          `json:"type"` // of the body
	Body   json.RawMessage `json:"body"`
}

// Client talks to one API server. Any goroutine may use it.
type Client struct {
	server, token, userAgent string
	requests, watches        *http.Client
	sent                     atomic.Int64
}

type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server string `json:"server"`
			CA     string `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		User struct {
			Token string `json:"token"`
		} `json:"user"`
	} `json:"users"`
}

// Load reads a kubeconfig with one cluster and one token, in JSON: kubectl config view --raw --minify -o json.
func Load(file, userAgent string) (*Client, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var config kubeconfig
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(config.Clusters) != 1 || len(config.Users) != 1 || config.Users[0].User.Token == "" {
		return nil, fmt.Errorf("%s: exactly one cluster and one user with a token expected", file)
	}
	cluster := config.Clusters[0].Cluster
	pem, err := base64.StdEncoding.DecodeString(cluster.CA)
	if err != nil {
		return nil, fmt.Errorf("%s: certificate-authority-data: %w", file, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: certificate-authority-data holds no certificate", file)
	}
	return &Client{
		server: cluster.Server, token: config.Users[0].User.Token, userAgent: userAgent,
		requests: &http.Client{Transport: transport(roots, Connections)},
		watches:  &http.Client{Transport: transport(roots, 1)},
	}, nil
}

// transport speaks HTTP/1.1 only, and keeps its connections.
func transport(roots *x509.CertPool, connections int) *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		TLSNextProto:    map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, DisableCompression: true,
	}
}

// Sent tells how many requests were sent, watches apart.
func (c *Client) Sent() int64 { return c.sent.Load() }

func (c *Client) build(ctx context.Context, r Request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, c.server+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	return req, nil
}

// Do sends a request and returns the answer's code and body. Where the server asks to wait (429), it waits.
func (c *Client) Do(ctx context.Context, r Request) (int, []byte, error) {
	for try := 1; ; try++ {
		req, err := c.build(ctx, r)
		if err != nil {
			return 0, nil, err
		}
		c.sent.Add(1)
		resp, err := c.requests.Do(req)
		if err != nil {
			return 0, nil, err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusTooManyRequests || try == maxTries {
			return resp.StatusCode, body, err
		}
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		select {
		case <-ctx.Done():
			return 0, nil, ctx.Err()
		case <-time.After(time.Duration(max(seconds, 1)) * time.Second):
		}
	}
}

// Warm opens all connections, so that no handshake is measured.
func (c *Client) Warm(ctx context.Context) error {
	var arrived, done sync.WaitGroup
	errs := make([]error, Connections)
	arrived.Add(Connections)
	for i := range Connections {
		done.Add(1)
		go func() {
			defer done.Done()
			req, err := c.build(ctx, Request{Method: http.MethodGet, Path: "/version"})
			if err != nil {
				errs[i] = err
				arrived.Done()
				return
			}
			resp, err := c.requests.Do(req)
			// The body is read only when all have an answer: until then nobody's connection is free for another.
			arrived.Done()
			arrived.Wait()
			if err != nil {
				errs[i] = err
				return
			}
			_, errs[i] = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}()
	}
	done.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// SendAll sends the requests in their order over all connections; check is called for each answer and ends all when it
// returns an error.
func (c *Client) SendAll(ctx context.Context, requests []Request, check func(r Request, code int, body []byte) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var done sync.WaitGroup
	for range Connections {
		done.Add(1)
		go func() {
			defer done.Done()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					return
				}
				code, body, err := c.Do(ctx, requests[i])
				if err == nil {
					err = check(requests[i], code, body)
				}
				if err != nil {
					cancel(fmt.Errorf("%s %s: %w", requests[i].Method, requests[i].Path, err))
				}
			}
		}()
	}
	done.Wait()
	return context.Cause(ctx)
}

// Succeeded is a check for SendAll: any code below 300.
func Succeeded(_ Request, code int, body []byte) error {
	if code >= 300 {
		return fmt.Errorf("HTTP %d: %.300s", code, body)
	}
	return nil
}

// Watch lists a collection and watches it from there: changed is called for each object that is or comes there, and ends the
// watch by returning true. listed is called once the list was read and the watch is open.
func (c *Client) Watch(ctx context.Context, path string, listed func(), changed func(object json.RawMessage) bool) error {
	code, body, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path})
	if err != nil || code != http.StatusOK {
		return fmt.Errorf("GET %s: HTTP %d: %w", path, code, err)
	}
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	req, err := c.build(ctx, Request{Method: http.MethodGet, Path: path + "?watch=1&timeoutSeconds=7200&resourceVersion=" + list.Metadata.ResourceVersion})
	if err != nil {
		return err
	}
	resp, err := c.watches.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("watch of %s: HTTP %d", path, resp.StatusCode)
	}
	listed()
	for _, object := range list.Items {
		if changed(object) {
			return nil
		}
	}
	events := json.NewDecoder(resp.Body)
	for {
		var event struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := events.Decode(&event); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("watch of %s: %w", path, err)
		}
		switch event.Type {
		case "ADDED", "MODIFIED":
			if changed(event.Object) {
				return nil
			}
		case "ERROR":
			return fmt.Errorf("watch of %s: %.300s", path, event.Object)
		}
	}
}

// ReadRequests reads a file with a request a line.
func ReadRequests(file string) ([]Request, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var requests []Request
	for lines := json.NewDecoder(f); ; {
		var r Request
		if err := lines.Decode(&r); err == io.EOF {
			return requests, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		requests = append(requests, r)
	}
}

// Condition is one of an object's status.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Find returns the condition with that type, or an empty one.
func Find(conditions []Condition, name string) Condition {
	for _, c := range conditions {
		if c.Type == name {
			return c
		}
	}
	return Condition{}
}

// Seconds rounds a time to milliseconds.
func Seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
