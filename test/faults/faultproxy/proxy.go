// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"

	"davit.dev/test/faults/internal/requestlog"
	"davit.dev/test/faults/internal/rules"
	"davit.dev/test/faults/internal/wire"
)

// maxDrained bounds what is read of a request whose answer does not depend on it.
const maxDrained = 8 << 20

// The ways in which an answer ends that is not to reach its client whole.
var (
	errCut   = errors.New("the connection is cut")
	errReset = errors.New("the stream is reset")
	errHang  = errors.New("no answer comes")
)

// proxy is the handler that clients talk to.
type proxy struct {
	rules   *rules.Set[match, fault]
	log     *requestlog.Log[logEntry]
	watches watchSet
	reverse *httputil.ReverseProxy
}

type logEntry struct {
	requestlog.Entry
	Verb      string `json:"verb"`
	Resource  string `json:"resource,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
}

type exchangeKey struct{}

// exchange is one request on its way.
type exchange struct {
	fault *fault
	watch *watch // nil when it is none
}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

func newProxy(upstream *url.URL, roots *x509.CertPool) *proxy {
	p := &proxy{
		rules: rules.NewSet[match]((*fault).check),
		log:   requestlog.New(func(e *logEntry) *requestlog.Entry { return &e.Entry }),
	}
	p.reverse = &httputil.ReverseProxy{
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2:   true,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 100,
		},
		FlushInterval:  -1,
		ErrorLog:       log.New(io.Discard, "", 0), // it would tell of the faults that were asked for
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		ModifyResponse: func(r *http.Response) error { return spoil(r, exchangeOf(r.Request)) },
		ErrorHandler:   func(w http.ResponseWriter, r *http.Request, err error) { p.fail(w, r, err) },
	}
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	api := parse(r)
	f := p.rules.Pick(r)
	entry := &logEntry{Verb: api.verb, Resource: api.resource, Namespace: api.namespace, Name: api.name}
	if f != nil {
		entry.Fault = f.Kind
	}
	p.log.Begin(entry, r)
	recorder := &requestlog.Recorder{ResponseWriter: w}
	defer p.log.End(entry, func(e *logEntry) { e.Code = recorder.Code })

	x := &exchange{fault: f}
	ctx := context.WithValue(r.Context(), exchangeKey{}, x)
	if api.verb == "watch" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		x.watch = p.watches.add(wire.Conn(r), cancel)
		defer p.watches.remove(x.watch)
	}
	r = r.WithContext(ctx)

	if f != nil && !p.before(recorder, r, f) {
		return
	}
	p.reverse.ServeHTTP(recorder, r)
}

// before does what the fault asks for ahead of the server, and says whether the request is to go on to it.
func (p *proxy) before(w http.ResponseWriter, r *http.Request, f *fault) bool {
	switch {
	case f.When == "after" || f.AfterEvents > 0:
		return true
	case f.Kind == "status":
		drain(r.Body)
		writeStatus(w, f)
		return false
	case f.Kind == "watch-error":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(errorEvent(f))
		return false
	case f.Kind == "cut":
		p.fail(w, r, errCut)
	case f.Kind == "reset":
		p.fail(w, r, errReset)
	case f.Kind == "timeout":
		drain(r.Body)
		p.fail(w, r, errHang)
	case f.Kind == "delay":
		wire.Wait(r, f.Ms)
	}
	return true
}

// fail ends a request that gets no whole answer. It returns only when err is the server's own failure, which it reports.
func (p *proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errCut):
		wire.Abort(r)
	case errors.Is(err, errReset):
		panic(http.ErrAbortHandler)
	case errors.Is(err, errHang):
		wire.Wait(r, exchangeOf(r).fault.Ms)
		panic(http.ErrAbortHandler)
	case r.Context().Err() != nil:
		panic(http.ErrAbortHandler)
	}
	var replaced *replacedError
	if errors.As(err, &replaced) {
		writeStatus(w, replaced.fault)
		return
	}
	writeStatus(w, &fault{Fault: rules.Fault{Status: http.StatusBadGateway},
		Message: "faultproxy: the API server does not answer: " + err.Error()})
}

// replacedError stands for an answer of the server that the client gets another one for.
type replacedError struct{ fault *fault }

func (*replacedError) Error() string { return "the answer is replaced" }

// spoil does to the server's answer what the fault asks for.
func spoil(answer *http.Response, x *exchange) error {
	f := x.fault
	isWatch := x.watch != nil && answer.StatusCode == http.StatusOK
	switch {
	case f == nil:
	case f.Kind == "goaway":
		answer.Header.Set("Connection", "close") // which HTTP/2 says as GOAWAY
	case isWatch && (f.AfterEvents > 0 || f.Kind == "half" || f.Kind == "end"):
		answer.Body = spoilWatch(answer, f)
	case f.When == "after":
		if !isWatch {
			_, _ = io.Copy(io.Discard, answer.Body) // whole: then it has been handled
		}
		_ = answer.Body.Close()
		switch f.Kind {
		case "cut":
			return errCut
		case "reset":
			return errReset
		case "timeout":
			return errHang
		}
		return &replacedError{f}
	case f.Kind == "half" || f.Kind == "truncate":
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return err
		}
		half := bytes.NewReader(body[:len(body)/2])
		if f.Kind == "half" {
			answer.Body = io.NopCloser(io.MultiReader(half, failingReader{errCut}))
		} else {
			answer.Body = io.NopCloser(half)
			answer.Header.Del("Content-Length")
			answer.ContentLength = -1
		}
	}
	answer.Body = &endingBody{ReadCloser: answer.Body, conn: wire.Conn(answer.Request), watch: x.watch}
	return nil
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// endingBody is an answer's body that ends when its watch is told to, and takes the connection with it when it is cut. Any
// error but io.EOF makes the reverse proxy reset the stream.
type endingBody struct {
	io.ReadCloser
	conn  net.Conn
	watch *watch
}

func (b *endingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.watch != nil && b.watch.how() != nil {
		err = b.watch.how()
	}
	if errors.Is(err, errCut) {
		wire.Settle()
		wire.Cut(b.conn)
	}
	return n, err
}

// spoilWatch lets f.AfterEvents events through and then ends the stream as f says.
func spoilWatch(answer *http.Response, f *fault) io.ReadCloser {
	read, write := io.Pipe()
	body := answer.Body
	go func() {
		defer body.Close()
		lines := bufio.NewReader(body)
		for i := 0; ; i++ {
			if i == f.AfterEvents && f.Kind != "half" {
				break
			}
			line, err := lines.ReadBytes('\n')
			if i == f.AfterEvents && err == nil {
				line = line[:len(line)/2]
			}
			if _, werr := write.Write(line); werr != nil {
				return
			}
			if err != nil {
				write.CloseWithError(err)
				return
			}
			if i == f.AfterEvents {
				break
			}
		}
		switch f.Kind {
		case "watch-error":
			_, _ = write.Write(errorEvent(f))
			write.Close()
		case "end":
			write.Close()
		case "reset":
			write.CloseWithError(errReset)
		case "timeout":
			<-answer.Request.Context().Done()
			write.CloseWithError(errReset)
		default:
			write.CloseWithError(errCut)
		}
	}()
	return read
}

func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, maxDrained) }

var reasons = map[int]string{
	400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 406: "NotAcceptable",
	409: "Conflict", 410: "Expired", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid",
	429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}

// statusObject is the Kubernetes Status that an API server would answer with.
func statusObject(f *fault) map[string]any {
	message, reason := f.Message, f.Reason
	if message == "" {
		message = "faultproxy: " + http.StatusText(f.Status) + ", as asked for"
	}
	if reason == "" {
		reason = reasons[f.Status]
	}
	status := map[string]any{"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": message, "code": f.Status}
	if reason != "" {
		status["reason"] = reason
	}
	if f.RetryAfter > 0 {
		status["details"] = map[string]any{"retryAfterSeconds": f.RetryAfter}
	}
	return status
}

func writeStatus(w http.ResponseWriter, f *fault) {
	body := []byte(f.Body)
	if f.Body == "" {
		body, _ = json.Marshal(statusObject(f))
	}
	contentType := f.ContentType
	if contentType == "" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write(body)
}

func errorEvent(f *fault) []byte {
	event, _ := json.Marshal(map[string]any{"type": "ERROR", "object": statusObject(f)})
	return append(event, '\n')
}

// watchSet is the watches that run.
type watchSet struct {
	mu  sync.Mutex
	all map[*watch]struct{}
}

type watch struct {
	mu     sync.Mutex
	conn   net.Conn
	cancel context.CancelFunc
	end    error
}

// how says by what it is to end, or nil.
func (w *watch) how() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.end
}

// endBy settles how it ends, and says whether that was still open.
func (w *watch) endBy(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end != nil {
		return false
	}
	w.end = err
	return true
}

func (s *watchSet) add(c net.Conn, cancel context.CancelFunc) *watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*watch]struct{}{}
	}
	w := &watch{conn: c, cancel: cancel}
	s.all[w] = struct{}{}
	return w
}

func (s *watchSet) remove(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, w)
}

// endAll ends every watch in that way and returns how many.
func (s *watchSet) endAll(how error) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := 0
	for w := range s.all {
		if !w.endBy(how) {
			continue
		}
		ended++
		if how == errCut {
			wire.Cut(w.conn)
		}
		w.cancel()
	}
	return ended
}

// gate is a listener that can be shut: then it closes what is open, and what comes at once.
type gate struct {
	net.Listener
	mu    sync.Mutex
	down  bool
	conns map[net.Conn]struct{}
}

type gatedConn struct {
	net.Conn
	gate *gate
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.mu.Lock()
		if g.down {
			g.mu.Unlock()
			_ = c.Close()
			continue
		}
		g.conns[c] = struct{}{}
		g.mu.Unlock()
		return &gatedConn{c, g}, nil
	}
}

func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c.Conn)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

func (g *gate) set(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
	if down {
		for c := range g.conns {
			_ = c.Close()
		}
	}
}
