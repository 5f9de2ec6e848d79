// SPDX-License-Identifier: Apache-2.0

// Repofault serves the files of a folder over http or https, on loopback, as a package repository does: with ETag and
// Last-Modified, 304 and ranges. It can ask for credentials, and makes the faults that repositories have.
//
// It is controlled over plain HTTP on a second loopback port:
//
//	POST   /faults  {"match": {...}, "fault": {...}, "times": 1}, or a list of them; answers the rules with their ids
//	GET    /faults  the rules, with how often each matched and fired
//	DELETE /faults  takes all rules away (or one: ?id=N)
//	POST   /auth    {"mode": "none"}, {"mode": "basic", "user", "password"}, {"mode": "bearer", "token"}, or
//	                {"mode": "mtls"}: a client certificate of --client-ca
//	GET    /-/log   every request, and counts per method, path and code; DELETE forgets them
//	POST   /down    closes the port and all connections: they are refused until POST /up opens the same port again
//
// When ready it prints one line of JSON with its ports; it ends when its standard input closes.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
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
	if err := run(s, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "repofault:", err)
		os.Exit(1)
	}
}

// run serves until in closes.
func run(s settings, in io.Reader, out io.Writer) error {
	root, err := os.OpenRoot(s.root)
	if err != nil {
		return err
	}
	repository := &repository{root: root}
	tlsConfig, err := makeTLS(s)
	if err != nil {
		return err
	}
	port := &port{address: s.listen, tls: tlsConfig, handler: repository}
	if err := port.up(); err != nil {
		return err
	}
	adminListener, err := listenLoopback(s.adminListen)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- (&http.Server{Handler: adminHandler(repository, port)}).Serve(adminListener) }()
	scheme := "http"
	if tlsConfig != nil {
		scheme = "https"
	}
	admin := adminListener.Addr().(*net.TCPAddr)
	err = json.NewEncoder(out).Encode(map[string]any{
		"url": scheme + "://" + port.address, "listen": port.address, "port": port.number(),
		"adminListen": admin.String(), "adminPort": admin.Port, "pid": os.Getpid(),
	})
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(ended)
	}()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return nil
	}
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
	pem, err := os.ReadFile(s.clientCA)
	if err != nil {
		return nil, err
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", s.clientCA)
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven // whether there has to be one is said later, by the mode
	return config, nil
}

// listenLoopback refuses every address but this machine's own.
func listenLoopback(address string) (net.Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	if !tcp.IP.IsLoopback() {
		return nil, errors.New(address + " is not on loopback")
	}
	return net.ListenTCP("tcp", tcp)
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
	listener, err := listenLoopback(p.address)
	if err != nil {
		return err
	}
	p.address = listener.Addr().String()
	server := &http.Server{Handler: p.handler, ConnContext: keepConn}
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
