// SPDX-License-Identifier: Apache-2.0

// Semverdiff compares Davit's versions and constraints with the Go library github.com/Masterminds/semver/v3, over generated
// lines of the protocol that `davit semver check` and `davit semver compare` speak.
//
//	semverdiff diff [--seed N] [--pairs N] PROGRAM…    asks PROGRAM check and PROGRAM compare, and tells every difference
//	semverdiff lines [--seed N] [--pairs N] check      prints the lines
//	semverdiff answer check                            answers lines on standard input as the library does
//
// The same seed gives the same lines. diff ends with "N passed, N failed", one for each of the two verbs.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

const differencesShown = 20

// verb is one half of the protocol.
type verb struct {
	name   string
	line   func(*source) []byte
	answer func(line []byte) string
}

var verbs = []verb{
	{"check", checkLine, answerCheck},
	{"compare", compareLine, answerCompare},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "semverdiff:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("what to do: diff, lines or answer")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	seed := flags.Uint64("seed", uint64(time.Now().UnixNano()), "where the lines come from")
	pairs := flags.Int("pairs", 100000, "lines for each verb")
	_ = flags.Parse(args[1:])
	switch rest := flags.Args(); {
	case args[0] == "diff" && len(rest) > 0:
		return diff(*seed, *pairs, rest)
	case len(rest) != 1 || find(rest[0]) == nil:
		return fmt.Errorf("%s wants one of: check, compare", args[0])
	case args[0] == "lines":
		_, err := os.Stdout.Write(generate(find(rest[0]), *seed, *pairs))
		return err
	case args[0] == "answer":
		return answer(find(rest[0]), os.Stdin, os.Stdout)
	default:
		return fmt.Errorf("there is no %q", args[0])
	}
}

func find(name string) *verb {
	for i := range verbs {
		if verbs[i].name == name {
			return &verbs[i]
		}
	}
	return nil
}

func generate(v *verb, seed uint64, pairs int) []byte {
	var out bytes.Buffer
	s := newSource(seed, v.name)
	for range pairs {
		out.Write(v.line(s))
		out.WriteByte('\n')
	}
	return out.Bytes()
}

func answer(v *verb, in io.Reader, to io.Writer) error {
	out := bufio.NewWriterSize(to, 1<<16)
	lines := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return out.Flush()
		}
		if err != nil && err != io.EOF {
			return err
		}
		out.WriteString(v.answer(bytes.TrimSuffix(line, []byte("\n"))))
		out.WriteByte('\n')
	}
}

func diff(seed uint64, pairs int, program []string) error {
	failed := 0
	fmt.Printf("semverdiff: SEED=%d, %d pairs for each of check and compare\n", seed, pairs)
	for i := range verbs {
		differences, err := diffVerb(&verbs[i], generate(&verbs[i], seed, pairs), program)
		if err != nil {
			return err
		}
		if differences > 0 {
			failed++
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(verbs)-failed, failed)
	if failed > 0 {
		return fmt.Errorf("the library decides otherwise: SEED=%d", seed)
	}
	return nil
}

// diffVerb tells how many answers differ; what each end answered is counted, so that lines that say nothing would be seen.
func diffVerb(v *verb, lines []byte, program []string) (int, error) {
	command := exec.Command(program[0], append(program[1:len(program):len(program)], v.name)...)
	command.Stdin, command.Stderr = bytes.NewReader(lines), os.Stderr
	out, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("%v: %w", command.Args, err)
	}
	asked, given := split(lines), split(out)
	if len(asked) != len(given) {
		return 0, fmt.Errorf("%v gave %d answers to %d lines", command.Args, len(given), len(asked))
	}
	tally, differences := map[string]int{}, 0
	for i, line := range asked {
		want := v.answer(line)
		tally[want]++
		if want == string(given[i]) {
			continue
		}
		if differences++; differences <= differencesShown {
			fmt.Printf("semverdiff: %s %q: the library says %s, %s says %s\n", v.name, line, want, program[0], given[i])
		}
	}
	fmt.Printf("semverdiff: %s: %d differences; the library's answers: %v\n", v.name, differences, tally)
	return differences, nil
}

func split(text []byte) [][]byte {
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}
