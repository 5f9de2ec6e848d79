// SPDX-License-Identifier: Apache-2.0

// Repofault serves the files of a folder over http or https, on loopback, as a package repository does: with ETag and
// Last-Modified, 304 and ranges. It can ask for credentials, and makes the faults that repositories have.
//
// It is controlled over plain HTTP on a second loopback port: /faults is that of package rules, with the type fault of
// rules.go; /log, or /-/log, that of package requestlog; and
//
//	POST /auth  {"mode": "none"}, {"mode": "basic", "user", "password"}, {"mode": "bearer", "token"}, or
//	            {"mode": "mtls"}: a client certificate of --client-ca
//	POST /down  closes the port and all connections: they are refused until POST /up opens the same port again
//
// How it starts and ends is told in package loopback.
package main

import (
	"crypto/tls"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"davit.dev/test/faults/internal/loopback"
	"davit.dev/test/faults/internal/wire"
)

type settings struct {
	root, listen, adminListen, cert, key, clientCA string
}

func main() {
	var s settings
	flag.StringVar(&s.root, "root", ".", "folder to serve")
	flag.StringVar(&s.listen, "listen", "127.0.0.1:0", "address to serve on")
	flag.StringVar(&s.adminListen, "admin-listen", "127.0.0.1:0", "address to be controlled on, plain HTTP")
	flag.StringVar(&s.cert, "cert", "", "certificate file; with it, https is served")
	flag.StringVar(&s.key, "key", "", "its key file")
	flag.StringVar(&s.clientCA, "client-ca", "", "file with the certificates that client certificates are checked against")
	flag.Parse()
	loopback.Main("repofault", s.run)
}

// run serves until in closes.
func (s settings) run(in io.Reader, out io.Writer) error {
	root, err := os.OpenRoot(s.root)
	if err != nil {
		return err
	}
	repository := newRepository(root)
	tlsConfig, err := makeTLS(s)
	if err != nil {
		return err
	}
	port := &port{address: s.listen, tls: tlsConfig, handler: repository}
	if err := port.up(); err != nil {
		return err
	}
	scheme := "http"
	if tlsConfig != nil {
		scheme = "https"
	}
	return loopback.Server{
		AdminListen: s.adminListen, Admin: adminHandler(repository, port),
		Ready: loopback.Ready{URL: scheme + "://" + port.address, Listen: port.address, Port: port.number()},
	}.Run(in, out)
}

// makeTLS returns nil when plain http is served.
func makeTLS(s settings) (*tls.Config, error) {
	if s.cert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	if s.clientCA == "" {
		return config, nil
	}
	if config.ClientCAs, err = loopback.ReadRoots(s.clientCA); err != nil {
		return nil, err
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven // whether there has to be one is said later, by the mode
	return config, nil
}

// port is where the repository is found: it can be closed and opened again.
type port struct {
	mu      sync.Mutex
	address string // with its number, once it was open
	tls     *tls.Config
	handler http.Handler
	server  *http.Server
}

func (p *port) number() int {
	tcp, _ := net.ResolveTCPAddr("tcp", p.address)
	return tcp.Port
}

func (p *port) up() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		return nil
	}
	listener, err := loopback.Listen(p.address)
	if err != nil {
		return err
	}
	p.address = listener.Addr().String()
	server := &http.Server{Handler: p.handler, ConnContext: wire.Keep}
	p.server = server
	if p.tls == nil {
		go func() { _ = server.Serve(listener) }()
		return nil
	}
	server.TLSConfig = p.tls.Clone()
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return nil
}

func (p *port) down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		_ = p.server.Close()
		p.server = nil
	}
}
