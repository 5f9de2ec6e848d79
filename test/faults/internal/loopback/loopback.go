// SPDX-License-Identifier: Apache-2.0

// Package loopback is the frame of a fault server: it listens on this machine's own addresses only, prints one line of JSON
// with its ports when it is ready, and ends when its standard input closes, so that no test leaves it behind.
package loopback

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

// Listen refuses every address but this machine's own.
func Listen(address string) (*net.TCPListener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	if !tcp.IP.IsLoopback() {
		return nil, errors.New(address + " is not on loopback")
	}
	return net.ListenTCP("tcp", tcp)
}

// Ready is the line that is printed. Run fills in what is about the control port and the process.
type Ready struct {
	AdminListen string `json:"adminListen"`
	AdminPort   int    `json:"adminPort"`
	Listen      string `json:"listen"`
	Pid         int    `json:"pid"`
	Port        int    `json:"port"`
	URL         string `json:"url,omitempty"`
}

// Server is a fault server that already serves.
type Server struct {
	AdminListen string
	Admin       http.Handler
	Ready       Ready
	Failed      <-chan error // what it sends ends Run; nil: nothing does
}

// Run serves the control port until in closes.
func (s Server) Run(in io.Reader, out io.Writer) error {
	listener, err := Listen(s.AdminListen)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(listener, s.Admin) }()
	admin := listener.Addr().(*net.TCPAddr)
	s.Ready.AdminListen, s.Ready.AdminPort, s.Ready.Pid = admin.String(), admin.Port, os.Getpid()
	if err := json.NewEncoder(out).Encode(s.Ready); err != nil {
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
	case err := <-s.Failed:
		return err
	case <-ended:
		return nil
	}
}

// Main is a program's main function once it has read its flags.
func Main(name string, run func(in io.Reader, out io.Writer) error) {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// ReadRoots reads the certificates that others are checked against.
func ReadRoots(file string) (*x509.CertPool, error) {
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
