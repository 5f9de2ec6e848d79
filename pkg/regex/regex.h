/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's regular expressions: RE2's syntax, leftmost-first matches, time linear in the text, and
 * the error texts of Go's package regexp. The door to RE2.
 *
 * Walking all matches follows Go: an empty match right behind the previous one is left out.
 * One difference: a byte that is no UTF-8 matches nothing here, while Go lets "." take it.
 *
 * Threads: any; an expression is never changed after it was compiled.
 */
#pragma once

#include "base/buf.h"

/* Bytes of an expression; RE2 bounds the memory of what it compiles to. */
#define DV_REGEX_PATTERN_MAX_BYTES ((size_t)64 * 1024)

typedef struct dv_regex dv_regex;

/* Offsets in the text; begin < 0: the group took no part. */
typedef struct {
    ptrdiff_t begin, end;
} dv_regex_span;

/*
 * *ret_regex is owned; copies pattern. INVALID "BadRegex": the message is Go's, word for word,
 * and quotes the faulty part: "error parsing regexp: missing closing ): `(a`".
 */
DV_MUST_USE dv_err *dv_regex_compile(dv_str pattern, dv_regex **ret_regex);
void dv_regex_free(dv_regex *regex);
/* Of the whole expression and its groups: at least 1. */
size_t dv_regex_groups(const dv_regex *regex);
/* The first match at or behind `from`; fills n spans, the whole match first. */
bool dv_regex_find(const dv_regex *regex, dv_str text, size_t from, dv_regex_span *ret_spans,
                   size_t n);
bool dv_regex_matches(const dv_regex *regex, dv_str text);

/* Where a walk over all matches stands; start with a zeroed one. */
typedef struct {
    size_t at;
    size_t previous_end; /* plus one; 0: no match yet */
    bool done;
} dv_regex_walk;
/* The next match; false: there is none. */
bool dv_regex_next(const dv_regex *regex, dv_str text, dv_regex_walk *walk,
                   dv_regex_span *ret_span);

/*
 * Appends text with each match replaced. Unless literal, "$1", "$name" and "${name}" in the
 * replacement stand for groups (none: nothing) and "$$" for a dollar sign.
 */
void dv_regex_replace(const dv_regex *regex, dv_str text, dv_str replacement, bool literal,
                      dv_buf *out);
/* Appends text so that, as an expression, it matches itself. */
void dv_regex_quote(dv_str text, dv_buf *out);

DV_DEFINE_AUTO(dv_regex)
