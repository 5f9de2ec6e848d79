// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"davit.dev/test/faults/internal/requestlog"
	"davit.dev/test/faults/internal/rules"
	"davit.dev/test/faults/internal/wire"
)

// repository is the handler that clients talk to.
type repository struct {
	root  *os.Root
	rules *rules.Set[rules.Match, fault]
	log   *requestlog.Log[logEntry]

	mu   sync.Mutex
	auth auth
}

// logEntry tells whether credentials came, never which.
type logEntry struct {
	requestlog.Entry
	Host          string `json:"host"`
	Authorization bool   `json:"authorization,omitempty"`
	Certificate   bool   `json:"certificate,omitempty"`
	IfNoneMatch   string `json:"ifNoneMatch,omitempty"`
	Range         string `json:"range,omitempty"`
	Bytes         int64  `json:"bytes"`
}

func newRepository(root *os.Root) *repository {
	return &repository{
		root:  root,
		rules: rules.NewSet[rules.Match]((*fault).check),
		log:   requestlog.New(func(e *logEntry) *requestlog.Entry { return &e.Entry }),
	}
}

// auth is what a client has to show.
type auth struct {
	Mode     string `json:"mode"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
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

func hasCertificate(r *http.Request) bool { return r.TLS != nil && len(r.TLS.VerifiedChains) > 0 }

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
		if hasCertificate(r) {
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
	f := p.rules.Pick(r)
	entry := &logEntry{
		Host: r.Host, Authorization: r.Header.Get("Authorization") != "", Certificate: hasCertificate(r),
		IfNoneMatch: r.Header.Get("If-None-Match"), Range: r.Header.Get("Range"),
	}
	if f != nil {
		entry.Fault = f.Kind
	}
	p.log.Begin(entry, r)
	recorder := &requestlog.Recorder{ResponseWriter: w}
	defer p.log.End(entry, func(e *logEntry) { e.Code, e.Bytes = recorder.Code, recorder.Bytes })
	if !p.admits(recorder, r) {
		return
	}
	if f != nil {
		p.spoil(recorder, r, f)
		return
	}
	p.serveFile(recorder, r)
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
		wire.Abort(r)
	case "timeout":
		wire.Wait(r, f.Ms)
		wire.Abort(r)
	case "delay":
		wire.Wait(r, f.Ms)
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
	wire.Settle()
	wire.Abort(r)
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
