// SPDX-License-Identifier: Apache-2.0

// Faultproxy stands before a Kubernetes API server, on loopback, and makes the faults that a healthy one never makes. It
// speaks HTTP/2 and HTTP/1.1 over TLS to its clients and HTTP/2 to the server, and passes bearer tokens through.
//
// It is controlled over plain HTTP on a second loopback port, at run time: /faults is that of package rules, with the types
// match and fault of rules.go; /log that of package requestlog; and
//
//	POST /cut-watches  ends every watch that runs; {"how": "cut"} (default: the connection), "reset" (the stream), "end" (cleanly)
//	POST /down         closes all connections, and every new one at once, until POST /up
//
// How it starts and ends is told in package loopback.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"davit.dev/test/faults/internal/loopback"
	"davit.dev/test/faults/internal/wire"
)

type settings struct {
	upstream, upstreamCA, cert, key, listen, adminListen string
}

func main() {
	var s settings
	flag.StringVar(&s.upstream, "upstream", "", "URL of the API server, https://HOST:PORT")
	flag.StringVar(&s.upstreamCA, "upstream-ca", "", "file with the certificates that the API server is checked against")
	flag.StringVar(&s.cert, "cert", "", "certificate file to serve with")
	flag.StringVar(&s.key, "key", "", "its key file")
	flag.StringVar(&s.listen, "listen", "127.0.0.1:0", "address to serve on")
	flag.StringVar(&s.adminListen, "admin-listen", "127.0.0.1:0", "address to be controlled on, plain HTTP")
	flag.Parse()
	loopback.Main("faultproxy", s.run)
}

// run serves until in closes.
func (s settings) run(in io.Reader, out io.Writer) error {
	upstream, err := url.Parse(s.upstream)
	if err != nil || upstream.Host == "" {
		return fmt.Errorf("--upstream %q is no URL", s.upstream)
	}
	roots, err := loopback.ReadRoots(s.upstreamCA)
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return err
	}
	listener, err := loopback.Listen(s.listen)
	if err != nil {
		return err
	}
	proxy := newProxy(upstream, roots)
	gate := &gate{Listener: listener, conns: map[net.Conn]struct{}{}}
	server := &http.Server{Handler: proxy, ConnContext: wire.Keep, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	failed := make(chan error, 1)
	go func() { failed <- server.ServeTLS(gate, "", "") }()
	address := listener.Addr().(*net.TCPAddr)
	return loopback.Server{
		AdminListen: s.adminListen, Admin: adminHandler(proxy, gate), Failed: failed,
		Ready: loopback.Ready{Listen: address.String(), Port: address.Port},
	}.Run(in, out)
}
