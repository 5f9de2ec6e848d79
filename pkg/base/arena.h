/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed whole: many small allocations of one job, with a ceiling.
 *
 * dv_arena_alloc() aborts past the ceiling only in arenas made without one; a bounded arena
 * returns NULL and stays marked, so that a parser checks once at its loop head with
 * dv_arena_check().
 *
 * Threads: owner.
 */
#pragma once

#include "base/str.h"

typedef struct dv_arena dv_arena;

/* limit_bytes 0: no ceiling. */
dv_arena *dv_arena_new(size_t limit_bytes);
void dv_arena_free(dv_arena *arena);
/* Forgets everything but keeps the first block. */
void dv_arena_reset(dv_arena *arena);
/* Zeroed, aligned for any type. NULL: past the ceiling. */
void *dv_arena_alloc(dv_arena *arena, size_t size);
#define DV_ARENA_NEW(arena, type) ((type *)dv_arena_alloc(arena, sizeof(type)))
/* NUL-terminated copy; NULL: past the ceiling. */
char *dv_arena_dup(dv_arena *arena, dv_str s);
/* INVALID, "TooLarge", once an allocation was refused. */
DV_MUST_USE dv_err *dv_arena_check(const dv_arena *arena);
size_t dv_arena_used(const dv_arena *arena);

DV_DEFINE_AUTO(dv_arena)
