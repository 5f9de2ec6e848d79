/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One verb at work: the flags before it, and what prints a value by them.
 *
 * Threads: owner.
 */
#pragma once

#include "gotemplate/format.h"

/* Width and precision; more is refused as Go refuses it. */
#define DV_FORMAT_WIDTH_MAX 1000000
/* One digit more gets through, as it does in Go. */
#define DV_FORMAT_TEXT_MAX ((size_t)11 * DV_FORMAT_WIDTH_MAX)

typedef struct {
    dv_buf *out;
    dv_heap *heap;
    int width, precision;
    bool has_width, has_precision;
    bool minus, plus, sharp, space, zero;
    bool plus_v, sharp_v; /* of %+v and %#v */
    unsigned depth;
} printer;

/* Prints value by the verb; depth 0 is the argument itself. */
void dv_print_value(printer *p, dv_val value, uint32_t verb);
/* The scalars. */
void dv_print_integer(printer *p, uint64_t value, bool is_signed, uint32_t verb, dv_val whole);
void dv_print_float(printer *p, double value, uint32_t verb, dv_val whole);
void dv_print_string(printer *p, dv_val value, uint32_t verb);
void dv_print_padded(printer *p, dv_str text);
/* "%!d(string=x)". */
void dv_print_bad_verb(printer *p, uint32_t verb, dv_val value);
