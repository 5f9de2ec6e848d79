/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is never refused: each function aborts when memory is out, so no caller tests for
 * NULL. What outsiders size is bounded before it comes here (dv_buf, dv_arena, counters).
 *
 * Threads: any.
 */
#pragma once

#include "base/defs.h"

/* Owned; release with free(). size 0 gives a valid pointer. */
void *dv_alloc(size_t size) __attribute__((malloc, returns_nonnull));
/* As dv_alloc(), zeroed; count * size may not overflow (asserted). */
void *dv_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* As realloc(); takes old. */
void *dv_realloc(void *old, size_t size) __attribute__((returns_nonnull));
/* Owned copy of text; NULL gives NULL. */
char *dv_strdup(const char *text);
char *dv_strndup(const char *text, size_t n) __attribute__((returns_nonnull));
/* Owned copy of n bytes. */
void *dv_memdup(const void *bytes, size_t n) __attribute__((returns_nonnull));
/* Owned, formatted text. */
char *dv_asprintf(const char *format, ...) DV_PRINTF(1, 2) __attribute__((returns_nonnull));
/* a * b, or SIZE_MAX where that would overflow (which every limit refuses). */
size_t dv_size_mul(size_t a, size_t b);
/* One zeroed object of the type, owned. */
#define DV_NEW(type) ((type *)dv_calloc(1, sizeof(type)))

/* For owning char * locals: DV_CLEANUP(dv_freep) char *text = NULL; */
void dv_freep(void *at);
#define dv_auto_str DV_CLEANUP(dv_freep) char *
