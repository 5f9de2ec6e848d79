/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unicode's classes and cases as tables, which unicode_tables.c holds.
 *
 * Threads: any.
 */
#pragma once

#include "base/defs.h"

/* Each stride-th character from lo to hi. */
typedef struct {
    uint32_t lo, hi, stride;
} dv_rune_range;
/* In ascending order. */
typedef struct {
    const dv_rune_range *at;
    size_t n;
} dv_rune_table;

/* What is added for upper, lower and title case; DV_UPPER_LOWER: they alternate. */
typedef struct {
    uint32_t lo, hi;
    int32_t delta[3];
} dv_case_range;
typedef struct {
    const dv_case_range *at;
    size_t n;
} dv_case_table;
enum { DV_UPPER_LOWER = 0x10ffff + 1 };

extern const dv_rune_table dv_rune_letters, dv_rune_digits, dv_rune_spaces, dv_rune_uppers,
    dv_rune_lowers, dv_rune_numbers, dv_rune_puncts, dv_rune_printables;
extern const dv_case_table dv_rune_cases;
