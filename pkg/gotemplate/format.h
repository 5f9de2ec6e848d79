/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's package fmt for template values, and the quoting of strconv.
 *
 * Whatever grows is bounded by the buffer; nesting by DV_VAL_DEPTH_MAX, below which "..." stands.
 *
 * Threads: owner of the heap.
 */
#pragma once

#include "gotemplate/value.h"

/* As %v; sorted keys are kept in heap. */
void dv_format_value(dv_heap *heap, dv_buf *out, dv_val value);
/* As %v, but texts, bytes and what prints itself as they are: sprig's strval(). */
dv_str dv_format_text(dv_heap *heap, dv_buf *scratch, dv_val value);
/* Sprint, Sprintln, Sprintf. */
void dv_format_print(dv_heap *heap, dv_buf *out, const dv_val *args, size_t n);
void dv_format_println(dv_heap *heap, dv_buf *out, const dv_val *args, size_t n);
void dv_format_printf(dv_heap *heap, dv_buf *out, dv_str format, const dv_val *args, size_t n);

/* Appends value as Go's 'g' format with precision -1: "1e+06", "NaN", "+Inf". */
void dv_format_float(dv_buf *out, double value);
/* %q of a string, and with only ASCII in it (%+q). */
void dv_quote(dv_buf *out, dv_str s);
void dv_quote_ascii(dv_buf *out, dv_str s);
/* %q of a character. */
void dv_quote_rune(dv_buf *out, uint32_t rune, bool ascii);
/* Can stand in backquotes. */
bool dv_can_backquote(dv_str s);
/* %#U: "U+002D '-'"; what can't be printed has no second part. */
void dv_format_rune(dv_buf *out, uint32_t rune);
/* strconv.Unquote of "…", `…` and 'c'. False: broken. */
bool dv_unquote(dv_str quoted, dv_buf *out);
/* strconv.UnquoteChar: cuts one character, escaped or not, off the front of *s. */
bool dv_unquote_char(dv_str *s, char quote, uint32_t *ret_rune);
