// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"davit.dev/test/faults/internal/rules"
)

// fault says what happens to a request. Headers are added to the answer, whatever the kind, which is one of
//
//	status         answers with Status and Body
//	replace        answers with Body in the place of the file: other bytes under the same name
//	headers        answers as usual, with Headers (which may lie: Content-Encoding, ETag, ...)
//	no-validators  answers without ETag and Last-Modified, and never with 304
//	cut            closes the connection without an answer
//	timeout        never answers (or, with Ms, closes the connection after that long)
//	delay          waits Ms, then goes on as usual
//	slow           sends BytesPerSecond
//	half           says the whole Content-Length, sends half of it, and closes the connection
//	redirect       redirects to To, a URL or a path, with Status (302)
//	redirect-loop  redirects to itself, without end
//	huge           sends Bytes of nothing in particular, or without end when that is 0; Length: says how many ahead
type fault struct {
	rules.Fault
	Headers        map[string]string `json:"headers,omitempty"`
	BytesPerSecond int               `json:"bytesPerSecond,omitempty"`
	Bytes          int64             `json:"bytes,omitempty"`
	Length         bool              `json:"length,omitempty"`
	To             string            `json:"to,omitempty"`
}

var kinds = []string{"status", "replace", "headers", "no-validators", "cut", "timeout", "delay", "slow", "half", "redirect",
	"redirect-loop", "huge"}

func (f *fault) check() error {
	if err := f.Fault.Check(kinds); err != nil {
		return err
	}
	switch {
	case f.Bytes < 0 || f.BytesPerSecond < 0:
		return rules.ErrNegative
	case f.Kind == "slow" && f.BytesPerSecond == 0:
		return errors.New("fault.bytesPerSecond is missing")
	case f.Kind == "redirect" && f.To == "":
		return errors.New("fault.to is missing")
	}
	return nil
}
