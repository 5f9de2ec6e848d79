// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

const refused = "error"

// readVersion is the library's loose reader and Davit's first rule: a build is digits only.
func readVersion(text []byte) *semver.Version {
	v, err := semver.NewVersion(string(text))
	if err != nil || strings.Trim(v.Metadata(), "0123456789") != "" {
		return nil
	}
	return v
}

// answerCheck is the library's Check and Davit's second rule: no "+" in a constraint.
func answerCheck(line []byte) string {
	text, version, found := bytes.Cut(line, []byte("\t"))
	if !found || bytes.IndexByte(text, '+') >= 0 {
		return refused
	}
	constraint, err := semver.NewConstraint(string(text))
	v := readVersion(version)
	if err != nil || v == nil {
		return refused
	}
	return strconv.FormatBool(constraint.Check(v))
}

// answerCompare is the library's Compare and Davit's third rule: builds break ties.
func answerCompare(line []byte) string {
	first, second, found := bytes.Cut(line, []byte("\t"))
	a, b := readVersion(first), readVersion(second)
	if !found || a == nil || b == nil {
		return refused
	}
	order := a.Compare(b)
	if order == 0 {
		order = compareBuilds(a.Metadata(), b.Metadata())
	}
	return strconv.Itoa(order)
}

// compareBuilds: none is below any number; numbers of any length by value.
func compareBuilds(a, b string) int {
	if a == "" || b == "" {
		return min(len(a), 1) - min(len(b), 1)
	}
	x, _ := new(big.Int).SetString(a, 10)
	y, _ := new(big.Int).SetString(b, 10)
	return x.Cmp(y)
}
