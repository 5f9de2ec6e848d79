// SPDX-License-Identifier: Apache-2.0

// Package wire ends answers as a broken network does.
package wire

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

type connKey struct{}

// Keep is an http.Server's ConnContext: with it, requests know their connection.
func Keep(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// Conn is the connection that a request came on.
func Conn(r *http.Request) net.Conn { return r.Context().Value(connKey{}).(net.Conn) }

// Cut closes a connection with neither TLS's nor HTTP's good-bye.
func Cut(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.Close()
}

// Abort cuts the connection that a request came on. It does not return.
func Abort(r *http.Request) {
	Cut(Conn(r))
	panic(http.ErrAbortHandler)
}

// Settle lets what was written leave, before a cut.
func Settle() { time.Sleep(50 * time.Millisecond) }

// Wait returns after so many milliseconds (0: never), or when the client has gone.
func Wait(r *http.Request, ms int) {
	var limit <-chan time.Time
	if ms > 0 {
		limit = time.After(time.Duration(ms) * time.Millisecond)
	}
	select {
	case <-limit:
	case <-r.Context().Done():
	}
}
