// SPDX-License-Identifier: Apache-2.0

// Prints pkg/base/unicode_tables.c from the tables of this Go's package unicode.
package main

import (
	"fmt"
	"unicode"
)

func table(name string, holds func(rune) bool) {
	fmt.Printf("\nstatic const dv_rune_range %s[] = {", name)
	n := 0
	emit := func(lo, hi, stride rune) {
		if n%4 == 0 {
			fmt.Printf("\n   ")
		}
		n++
		fmt.Printf(" {%#x, %#x, %d},", lo, hi, stride)
	}
	var members []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if holds(r) {
			members = append(members, r)
		}
	}
	for i := 0; i < len(members); {
		j := i + 1
		stride := rune(1)
		if j < len(members) && members[j]-members[i] <= 2 {
			stride = members[j] - members[i]
			for j < len(members) && members[j]-members[j-1] == stride {
				j++
			}
		}
		emit(members[i], members[j-1], stride)
		i = j
	}
	fmt.Printf("\n};\nconst dv_rune_table dv_rune_%s = {%s, DV_LEN(%s)};\n", name, name, name)
}

func main() {
	fmt.Printf(`/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made by test/gotemplate/unicode from Unicode %s; not to be edited.
 */
/* clang-format off */
#include "base/unicode_internal.h"
`, unicode.Version)
	table("letters", unicode.IsLetter)
	table("digits", unicode.IsDigit)
	table("spaces", unicode.IsSpace)
	table("uppers", unicode.IsUpper)
	table("lowers", unicode.IsLower)
	table("numbers", unicode.IsNumber)
	table("puncts", unicode.IsPunct)
	table("printables", unicode.IsPrint)
	fmt.Printf("\nstatic const dv_case_range cases[] = {")
	for i, c := range unicode.CaseRanges {
		if i%3 == 0 {
			fmt.Printf("\n   ")
		}
		fmt.Printf(" {%#x, %#x, {%d, %d, %d}},", c.Lo, c.Hi, c.Delta[0], c.Delta[1], c.Delta[2])
	}
	fmt.Printf("\n};\nconst dv_case_table dv_rune_cases = {cases, DV_LEN(cases)};\n")
}
