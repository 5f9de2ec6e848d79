// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
)

// source makes texts: mostly well-formed and close to each other, so that both answers are frequent, and some broken.
type source struct {
	*rand.Rand
}

func newSource(seed uint64, stream string) *source {
	h := fnv.New64a()
	h.Write([]byte(stream))
	return &source{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (s *source) chance(percent int) bool { return s.IntN(100) < percent }

func pick[T any](s *source, from ...T) T { return from[s.IntN(len(from))] }

// number is small most of the time: versions and bounds shall meet.
func (s *source) number() string {
	switch {
	case s.chance(90):
		return strconv.Itoa(s.IntN(3))
	case s.chance(85):
		return pick(s, "3", "9", "10", "11", "99", "100", "00", "01", "007")
	default:
		return pick(s, "18446744073709551614", "18446744073709551615", "18446744073709551615", "18446744073709551616",
			"000000000000000000000018446744073709551615", "99999999999999999999")
	}
}

func (s *source) identifier() string {
	if s.chance(80) {
		return pick(s, "0", "1", "2", "9", "10", "a", "alpha", "beta", "rc")
	}
	return pick(s, "rc1", "rc9", "rc10", "RC", "x", "-", "--", "0a", "1-2", "18446744073709551615", "18446744073709551616",
		"99999999999999999999", "01")
}

func (s *source) identifiers() string {
	text := s.identifier()
	for s.chance(40) {
		text += "." + s.identifier()
	}
	return text
}

func (s *source) build() string {
	if s.chance(90) {
		return pick(s, "0", "1", "2", "9", "10", "01", "010", "9223372036854775807", "9223372036854775808", "00000000000000000000001",
			"340282366920938463463374607431768211456")
	}
	return s.identifiers()
}

func (s *source) version() string {
	text := pick(s, "", "", "", "", "", "v", "v") + s.number()
	for parts := pick(s, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3); parts > 1; parts-- {
		text += "." + s.number()
	}
	if s.chance(35) {
		text += "-" + s.identifiers()
	}
	if s.chance(30) {
		text += "+" + s.build()
	}
	return text
}

func (s *source) part() string {
	if s.chance(1) {
		return pick(s, "xx", "1x", "|", "1|2")
	}
	if s.chance(8) {
		return pick(s, "x", "X", "*")
	}
	return s.number()
}

// bound is what stands behind an operator.
func (s *source) bound() string {
	text := pick(s, "", "", "", "", "", "", "", "v") + s.part()
	for parts := pick(s, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3); parts > 1; parts-- {
		text += "." + s.part()
	}
	if s.chance(25) {
		text += "-" + s.identifiers()
	}
	if s.chance(1) {
		text += "+" + s.build()
	}
	return text
}

func (s *source) blank() string {
	return pick(s, "", "", "", "", "", "", " ", " ", "  ", "\r", "\f")
}

func (s *source) gap() string {
	return pick(s, " ", " ", " ", " ", " ", "  ", "\r", " \f")
}

func (s *source) term() string {
	operator := pick(s, "", "", "=", "!=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~", "~>", "^", "^", "^")
	if s.chance(1) {
		operator = pick(s, "==", "~=", ">>", "<>", "^^", "!", "=!", "~^", "&&")
	}
	return operator + s.blank() + s.bound()
}

func (s *source) piece() string {
	if s.chance(12) {
		return s.bound() + pick(s, " ", " ", " ", " ", " ", "  ", "") + "-" + pick(s, " ", " ", " ", " ", " ", "  ", "") + s.bound()
	}
	return s.term()
}

func (s *source) group() string {
	text := s.blank() + s.piece()
	for s.chance(30) {
		text += pick(s, s.gap(), s.gap(), s.gap(), ", ", ", ", ",", " ,", " , ") + s.piece()
	}
	return text + s.blank()
}

func (s *source) constraint() string {
	text := s.group()
	for s.chance(25) {
		text += pick(s, "||", "||", " || ", " || ", " || ") + s.group()
	}
	return text
}

// broken changes a byte or a few.
func (s *source) broken(text string) string {
	const bytesOf = "0123456789.-+xX*vV||=<>!~^,, aZ_\r\v\f\x00\x7f\x80\xc3\xa9&()\"\\/"
	for first := true; first || s.chance(30); first = false {
		at := s.IntN(len(text) + 1)
		b := string(bytesOf[s.IntN(len(bytesOf))])
		switch {
		case s.chance(40) || at == len(text):
			text = text[:at] + b + text[at:]
		case s.chance(50):
			text = text[:at] + text[at+1:]
		default:
			text = text[:at] + b + text[at+1:]
		}
	}
	return text
}

// longVersion is at the limit of bytes.
func (s *source) longVersion() string {
	head := pick(s, "1.2.3-", "v1.2-", "1-a.", "1.2.3+")
	fill := "a"
	if strings.HasSuffix(head, "+") {
		fill = "7"
	}
	return head + strings.Repeat(fill, max(0, 254+s.IntN(5)-len(head)))
}

// longConstraint is at a limit: of bytes, of groups, of the rebuilt bound, or of ranges that are rewritten.
func (s *source) longConstraint() string {
	switch s.IntN(5) {
	case 0:
		return s.term() + strings.Repeat(" ", 500+s.IntN(13))
	case 1:
		return s.term() + strings.Repeat("||"+s.term(), 29+s.IntN(5))
	case 2:
		return pick(s, ">=", "^", "") + pick(s, "", "v") + pick(s, "1-", "1.2-", "1.2.3-", "1.x-", "*-") + strings.Repeat("a", 240+s.IntN(16))
	case 3:
		return strings.Repeat("1 - 2,", 80+s.IntN(6)) + "1 - 2"
	default:
		return pick(s, ">", "") + strings.Repeat("0", 240+s.IntN(20)) + pick(s, "1", "", ".1")
	}
}

func (s *source) versionText() string {
	switch {
	case s.chance(2):
		return s.longVersion()
	case s.chance(6):
		return s.broken(s.version())
	default:
		return s.version()
	}
}

func (s *source) constraintText() string {
	switch {
	case s.chance(2):
		return s.longConstraint()
	case s.chance(8):
		return s.broken(s.constraint())
	default:
		return s.constraint()
	}
}

func line(s *source, first, second string) []byte {
	separator := "\t"
	if s.chance(1) {
		separator = pick(s, "", "\t\t", " ")
	}
	return bytes.ReplaceAll([]byte(first+separator+second), []byte("\n"), []byte("\r"))
}

func checkLine(s *source) []byte { return line(s, s.constraintText(), s.versionText()) }

func compareLine(s *source) []byte {
	first := s.versionText()
	if s.chance(20) { // they differ in their builds alone
		core, _, _ := strings.Cut(first, "+")
		return line(s, core+pick(s, "", "+")+pick(s, "", s.build()), core+"+"+s.build())
	}
	return line(s, first, s.versionText())
}
