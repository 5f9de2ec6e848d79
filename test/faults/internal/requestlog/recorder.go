// SPDX-License-Identifier: Apache-2.0

package requestlog

import "net/http"

// Recorder remembers the code and the size of an answer.
type Recorder struct {
	http.ResponseWriter
	Code  int
	Bytes int64
}

func (r *Recorder) WriteHeader(code int) {
	if code >= 200 && r.Code == 0 {
		r.Code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *Recorder) Write(p []byte) (int, error) {
	if r.Code == 0 {
		r.Code = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.Bytes += int64(n)
	return n, err
}

func (r *Recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
