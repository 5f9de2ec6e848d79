/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed view of bytes, two words, passed by value. NUL is never assumed behind it; print
 * it with "%.*s" and DV_FMT(s). The empty view has n == 0; its p may be NULL.
 *
 * Threads: any.
 */
#pragma once

#include "base/defs.h"
#include "base/err.h"

typedef struct {
    const char *p;
    size_t n;
} dv_str;

#define DV_STR(literal) ((dv_str){(literal), sizeof(literal) - 1})
#define DV_FMT(s) (int)(s).n, (s).p ? (s).p : ""

/* The view of a C string; NULL gives the empty view. */
dv_str dv_str_of(const char *text);
bool dv_str_eq(dv_str a, dv_str b);
bool dv_str_is(dv_str a, const char *text);
/* memcmp order, shorter first among equals. */
int dv_str_cmp(dv_str a, dv_str b);
bool dv_str_starts(dv_str s, dv_str prefix);
bool dv_str_ends(dv_str s, dv_str suffix);
/* s without its first n bytes (or empty). */
dv_str dv_str_skip(dv_str s, size_t n);
dv_str dv_str_head(dv_str s, size_t n);
/* Without ASCII blanks, tabs, CR and LF at both ends. */
dv_str dv_str_trim(dv_str s);
/* Offset of the first c, or -1. */
ptrdiff_t dv_str_find(dv_str s, char c);
ptrdiff_t dv_str_rfind(dv_str s, char c);
bool dv_str_contains(dv_str s, dv_str needle);
/*
 * Cuts s at the first c: *ret_head is what stands before, the result what stands behind.
 * Without a c the head is all of s and the result is empty with p == NULL.
 */
dv_str dv_str_cut(dv_str s, char c, dv_str *ret_head);
/* Owned, NUL-terminated copy. */
char *dv_str_dup(dv_str s);
/* Decimal digits only, no sign. INVALID: anything else, or past 64 bits. */
DV_MUST_USE dv_err *dv_str_u64(dv_str s, uint64_t *ret_value);
/* As dv_str_u64() with an optional '-'. */
DV_MUST_USE dv_err *dv_str_i64(dv_str s, int64_t *ret_value);
/* FNV-1a, for hash tables that outsiders can't fill without bound. */
uint64_t dv_str_hash(dv_str s);
/*
 * Shell-like match of a whole name: '*' any run, '?' one byte, no classes. Linear in
 * len(name) * stars at worst.
 */
bool dv_glob_match(dv_str pattern, dv_str name);
/* Letters to insert, remove or replace until a is b; SIZE_MAX where one has more than 63 bytes. For
 * "did you mean". */
size_t dv_str_edits(dv_str a, dv_str b);
/* Length of the UTF-8 sequence that s (not empty) starts with; 0: malformed. */
size_t dv_utf8_len(dv_str s);
/* True for valid UTF-8 without surrogates, at most U+10FFFF. */
bool dv_utf8_valid(dv_str s);
