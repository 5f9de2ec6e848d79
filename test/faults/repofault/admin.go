// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"

	"davit.dev/test/faults/internal/control"
)

func adminHandler(p *repository, where *port) http.Handler {
	h := &control.Handler{}
	p.rules.Mount(h)
	p.log.Mount(h, "/-/log")
	p.log.Mount(h, "/log")
	h.Do("POST /auth", func(r *http.Request) error {
		var a auth
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&a); err != nil {
			return err
		}
		return p.setAuth(a)
	})
	h.Do("POST /down", func(*http.Request) error {
		where.down()
		return nil
	})
	h.Do("POST /up", func(*http.Request) error { return where.up() })
	return h
}
