// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"davit.dev/test/faults/internal/control"
)

func adminHandler(p *proxy, g *gate) http.Handler {
	h := &control.Handler{}
	p.rules.Mount(h)
	p.log.Mount(h, "/log")
	h.Handle("POST /cut-watches", p.cutWatches)
	h.Do("POST /down", func(*http.Request) error {
		g.set(true)
		return nil
	})
	h.Do("POST /up", func(*http.Request) error {
		g.set(false)
		return nil
	})
	return h
}

func (p *proxy) cutWatches(r *http.Request) (any, error) {
	var wish struct {
		How string `json:"how"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wish); err != nil && err != io.EOF {
		return nil, err
	}
	how, known := map[string]error{"": errCut, "cut": errCut, "reset": errReset, "end": io.EOF}[wish.How]
	if !known {
		return nil, fmt.Errorf("how is one of cut reset end, not %q", wish.How)
	}
	return map[string]int{"ended": p.watches.endAll(how)}, nil
}
