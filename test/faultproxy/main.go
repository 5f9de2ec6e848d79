// SPDX-License-Identifier: Apache-2.0

// Faultproxy stands before a Kubernetes API server, on loopback, and makes the faults that a healthy one never makes. It
// speaks HTTP/2 and HTTP/1.1 over TLS to its clients and HTTP/2 to the server, and passes bearer tokens through.
//
// Faults are set at run time over plain HTTP on a second loopback port:
//
//	POST   /faults       {"match": {...}, "fault": {...}, "times": 1}, or a list of them; answers the rules with their ids
//	GET    /faults       the rules, with how often each matched and fired
//	DELETE /faults       takes all rules away (or one: ?id=N)
//	GET    /log          what was asked: every request with its sequence number, and counts per method, path and code (?since=N)
//	DELETE /log          forgets it; sequence numbers go on
//	POST   /cut-watches  ends every watch that runs; {"how": "cut"} (default: the connection), "reset" (the stream), "end" (cleanly)
//	POST   /down         closes all connections, and every new one at once, until POST /up
//
// The rule's fields are those of the types match and fault in rules.go. When ready it prints one line of JSON with its
// ports; it ends when its standard input closes, so that no test leaves it behind.
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
	"net/url"
	"os"
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
	if err := run(s, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faultproxy:", err)
		os.Exit(1)
	}
}

// run serves until in closes.
func run(s settings, in io.Reader, out io.Writer) error {
	upstream, err := url.Parse(s.upstream)
	if err != nil || upstream.Host == "" {
		return fmt.Errorf("--upstream %q is no URL", s.upstream)
	}
	roots, err := readRoots(s.upstreamCA)
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return err
	}
	listener, err := listenLoopback(s.listen)
	if err != nil {
		return err
	}
	adminListener, err := listenLoopback(s.adminListen)
	if err != nil {
		return err
	}
	proxy := newProxy(upstream, roots)
	gate := &gate{Listener: listener, conns: map[net.Conn]struct{}{}}
	server := &http.Server{Handler: proxy, ConnContext: keepConn, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	failed := make(chan error, 2)
	go func() { failed <- server.ServeTLS(gate, "", "") }()
	go func() { failed <- (&http.Server{Handler: adminHandler(proxy, gate)}).Serve(adminListener) }()
	err = json.NewEncoder(out).Encode(map[string]any{
		"listen": listener.Addr().String(), "port": listener.Addr().(*net.TCPAddr).Port,
		"adminListen": adminListener.Addr().String(), "adminPort": adminListener.Addr().(*net.TCPAddr).Port, "pid": os.Getpid(),
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

func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return roots, nil
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
