/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pull reader of JSON for problem files, which may be large and are read in place: strings
 * without escapes are views of the input. The first fault is kept and ends everything.
 *
 *     for (bool more = dv_scan_open(&in, '{'); more; more = dv_scan_more(&in, '}')) {
 *         dv_str key = dv_scan_key(&in);
 *         …
 *     }
 *     fault = in.fault;
 *
 * Threads: owner.
 */
#pragma once

#include "base/arena.h"
#include "base/vec.h"

typedef struct {
    const char *start, *at, *end;
    dv_arena *arena;   /* where strings with escapes go; borrowed */
    const char *fault; /* static; NULL: fine so far */
} scan;

/* Depth of values that are skipped over. */
#define DV_SCAN_DEPTH_MAX 64

void dv_scan_init(scan *in, dv_str json, dv_arena *arena);
/* Records the fault unless there is one already. */
void dv_scan_fail(scan *in, const char *fault);
/* Behind '{' or '['. False: not that, or it is empty (then it is behind the end, too). */
bool dv_scan_open(scan *in, char open);
/* Behind a ',', or behind the end (false). */
bool dv_scan_more(scan *in, char close);
/* A key and its colon. */
dv_str dv_scan_key(scan *in);
dv_str dv_scan_string(scan *in);
int64_t dv_scan_integer(scan *in);
/* The next byte that is not white space, not taken; 0 at the end. */
char dv_scan_peek(scan *in);
/* Over one value of any kind, checking it. */
void dv_scan_skip(scan *in);
/* Nothing but white space is left, or a fault. */
void dv_scan_finish(scan *in);
size_t dv_scan_line(const scan *in);
