// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// repository is the handler that clients talk to.
type repository struct {
	root  *os.Root
	rules ruleSet
	log   requestLog

	mu   sync.Mutex
	auth auth
}

// auth is what a client has to show.
type auth struct {
	Mode     string `json:"mode"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
}

type ctxKey int

const connKey ctxKey = 0

func keepConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey, c)
}

func (p *repository) setAuth(a auth) error {
	switch a.Mode {
	case "none", "basic", "bearer", "mtls":
	default:
		return fmt.Errorf("mode is one of none basic bearer mtls, not %q", a.Mode)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.auth = a
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// admits says whether the client has shown what it has to, or answers 401.
func (p *repository) admits(w http.ResponseWriter, r *http.Request) bool {
	p.mu.Lock()
	a := p.auth
	p.mu.Unlock()
	challenge := ""
	switch a.Mode {
	case "basic":
		user, password, _ := r.BasicAuth()
		if same(user, a.User) && same(password, a.Password) {
			return true
		}
		challenge = `Basic realm="repofault"`
	case "bearer":
		token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if isBearer && same(token, a.Token) {
			return true
		}
		challenge = `Bearer realm="repofault"`
	case "mtls":
		if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
			return true
		}
	default:
		return true
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	http.Error(w, "unauthorized", http.StatusUnauthorized)
	return false
}

func (p *repository) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := p.rules.pick(r)
	entry := p.log.begin(r, f)
	counter := &counter{ResponseWriter: w}
	defer func() { p.log.end(entry, counter.code, counter.bytes) }()
	if !p.admits(counter, r) {
		return
	}
	if f != nil {
		p.spoil(counter, r, f)
		return
	}
	p.serveFile(counter, r)
}

func (p *repository) serveFile(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	content, modified, err := p.read(r)
	if err != nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	serveBytes(w, r, content, modified)
}

func serveBytes(w http.ResponseWriter, r *http.Request, content []byte, modified time.Time) {
	if w.Header().Get("ETag") == "" {
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content))[:33]+`"`)
	}
	http.ServeContent(w, r, r.URL.Path, modified, bytes.NewReader(content))
}

func (p *repository) read(r *http.Request) ([]byte, time.Time, error) {
	file, err := p.root.Open(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		return nil, time.Time{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	content, err := io.ReadAll(file) // fails for a folder
	return content, info.ModTime(), err
}

func (p *repository) spoil(w http.ResponseWriter, r *http.Request, f *fault) {
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	switch f.Kind {
	case "status":
		if f.Status == http.StatusNoContent || f.Status == http.StatusNotModified {
			w.WriteHeader(f.Status)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(f.Body)))
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
	case "replace":
		serveBytes(w, r, []byte(f.Body), time.Now())
	case "headers":
		p.serveFile(w, r)
	case "no-validators":
		if content, _, err := p.read(r); err != nil {
			http.Error(w, "not found", http.StatusNotFound)
		} else {
			_, _ = w.Write(content)
		}
	case "cut":
		cut(r)
	case "timeout":
		wait(r, f.Ms)
		cut(r)
	case "delay":
		wait(r, f.Ms)
		p.serveFile(w, r)
	case "slow":
		p.serveFile(&slowWriter{ResponseWriter: w, request: r, perSecond: f.BytesPerSecond}, r)
	case "half":
		p.half(w, r)
	case "redirect":
		status := f.Status
		if status == 0 {
			status = http.StatusFound
		}
		w.Header().Set("Location", f.To)
		w.WriteHeader(status)
	case "redirect-loop":
		round, _ := strconv.Atoi(r.URL.Query().Get("round"))
		w.Header().Set("Location", r.URL.EscapedPath()+"?round="+strconv.Itoa(round+1))
		w.WriteHeader(http.StatusFound)
	case "huge":
		huge(w, f)
	}
}

// half never returns to the server as an answer that is whole.
func (p *repository) half(w http.ResponseWriter, r *http.Request) {
	content, _, err := p.read(r)
	if err != nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content[:len(content)/2])
	_ = http.NewResponseController(w).Flush()
	time.Sleep(50 * time.Millisecond) // what was written has to leave first
	cut(r)
}

// huge sends zeros until it has sent enough or the client has had enough.
func huge(w http.ResponseWriter, f *fault) {
	if f.Bytes > 0 && f.Length {
		w.Header().Set("Content-Length", strconv.FormatInt(f.Bytes, 10))
	}
	chunk := make([]byte, 64<<10)
	for left := f.Bytes; f.Bytes == 0 || left > 0; left -= int64(len(chunk)) {
		if f.Bytes > 0 && left < int64(len(chunk)) {
			chunk = chunk[:left]
		}
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// wait returns after so many milliseconds (0: never), or when the client has gone.
func wait(r *http.Request, ms int) {
	var limit <-chan time.Time
	if ms > 0 {
		limit = time.After(time.Duration(ms) * time.Millisecond)
	}
	select {
	case <-limit:
	case <-r.Context().Done():
	}
}

// cut closes a connection as a broken network does: with neither TLS's nor HTTP's good-bye. It does not return.
func cut(r *http.Request) {
	c := r.Context().Value(connKey).(net.Conn)
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.Close()
	panic(http.ErrAbortHandler)
}

// slowWriter sends so many bytes a second, in tenths of a second.
type slowWriter struct {
	http.ResponseWriter
	request   *http.Request
	perSecond int
}

func (s *slowWriter) Write(p []byte) (int, error) {
	step := max(s.perSecond/10, 1)
	pause := time.Duration(float64(time.Second) * float64(step) / float64(s.perSecond))
	sent := 0
	for sent < len(p) {
		n, err := s.ResponseWriter.Write(p[sent:min(sent+step, len(p))])
		sent += n
		if err != nil {
			return sent, err
		}
		_ = http.NewResponseController(s.ResponseWriter).Flush()
		select {
		case <-time.After(pause):
		case <-s.request.Context().Done():
			return sent, s.request.Context().Err()
		}
	}
	return sent, nil
}

// counter remembers the code and the size of an answer.
type counter struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (c *counter) WriteHeader(code int) {
	if code >= 200 && c.code == 0 {
		c.code = code
	}
	c.ResponseWriter.WriteHeader(code)
}

func (c *counter) Write(p []byte) (int, error) {
	if c.code == 0 {
		c.code = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}

func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
