// SPDX-License-Identifier: Apache-2.0

// Package control answers on the port that a fault server is controlled on: JSON over plain HTTP. What goes wrong is answered
// with 400 and {"error": "..."}.
package control

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Handler answers each path that it was told of.
type Handler struct{ mux http.ServeMux }

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Handle answers a pattern of http.ServeMux with what do returns.
func (h *Handler) Handle(pattern string, do func(r *http.Request) (any, error)) {
	h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		body, err := do(r)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			body = map[string]string{"error": err.Error()}
		}
		_ = json.NewEncoder(w).Encode(body)
	})
}

// Do answers a pattern with an empty object once do has succeeded.
func (h *Handler) Do(pattern string, do func(r *http.Request) error) {
	h.Handle(pattern, func(r *http.Request) (any, error) { return struct{}{}, do(r) })
}

// Number reads a query parameter that is a number, 0 when it is not there.
func Number(r *http.Request, name string) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	return strconv.Atoi(text)
}
