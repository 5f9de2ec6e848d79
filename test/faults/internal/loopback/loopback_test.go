// SPDX-License-Identifier: Apache-2.0

package loopback

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListensOnThisMachineOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "[::]:0", "nonsense"} {
		if listener, err := Listen(address); err == nil {
			_ = listener.Close()
			t.Errorf("%s is taken", address)
		}
	}
	if err := (Server{AdminListen: "0.0.0.0:0"}).Run(strings.NewReader(""), io.Discard); err == nil {
		t.Error("it is controlled from anywhere")
	}
}

func TestEndsWithTheFirstFailure(t *testing.T) {
	in, stop := io.Pipe()
	defer stop.Close()
	broken := errors.New("broken")
	failed := make(chan error, 1)
	failed <- broken
	s := Server{AdminListen: "127.0.0.1:0", Admin: http.NotFoundHandler(), Failed: failed}
	if err := s.Run(in, io.Discard); err != broken {
		t.Fatal(err)
	}
}

func TestReadsNoRootsFromAnotherFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRoots(file); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Fatal(err)
	}
}
