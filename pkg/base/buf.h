/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing buffer of bytes that can't exist without a ceiling. Always NUL-terminated.
 *
 * Overflow is sticky: an addition that would pass the limit adds nothing and marks the buffer;
 * ask once, with dv_buf_check(), after the last addition.
 *
 *     DV_CLEANUP(dv_buf_done) dv_buf url = DV_BUF_INIT(DV_URL_MAX);
 *     dv_buf_addf(&url, "%s/index.yaml", base);
 *     DV_TRY(dv_buf_check(&url), "address of %s", name);
 *
 * Threads: owner.
 */
#pragma once

#include "base/str.h"

typedef struct {
    char *p; /* NULL until the first byte; read through dv_buf_cstr() or dv_buf_str() */
    size_t n;
    size_t cap;
    size_t limit; /* bytes, without the NUL */
    bool overflow;
} dv_buf;

/* The named ceilings. */
#define DV_URL_MAX ((size_t)8 * 1024)
#define DV_PATH_MAX ((size_t)4 * 1024)
#define DV_LINE_MAX ((size_t)64 * 1024)
#define DV_BODY_MAX ((size_t)64 * 1024 * 1024)

#define DV_BUF_INIT(limit_bytes)                                                                   \
    {                                                                                              \
        .p = NULL, .limit = (limit_bytes)                                                          \
    }

void dv_buf_init(dv_buf *buf, size_t limit_bytes);
void dv_buf_done(dv_buf *buf);
/* Empty again, memory and limit kept, overflow forgotten. */
void dv_buf_reset(dv_buf *buf);
void dv_buf_add(dv_buf *buf, const void *bytes, size_t n);
void dv_buf_add_str(dv_buf *buf, dv_str s);
void dv_buf_adds(dv_buf *buf, const char *text);
void dv_buf_addc(dv_buf *buf, char c);
void dv_buf_addf(dv_buf *buf, const char *format, ...) DV_PRINTF(2, 3);
/* count times c. */
void dv_buf_fill(dv_buf *buf, char c, size_t count);
/* Percent-encodes all but RFC 3986's unreserved characters. */
void dv_buf_add_uri(dv_buf *buf, dv_str s);
/* Cuts down to n bytes (n <= buf->n). */
void dv_buf_cut(dv_buf *buf, size_t n);
/* Room for n more bytes, to be written at the result and claimed with dv_buf_grown(). NULL: over
 * the limit. */
char *dv_buf_room(dv_buf *buf, size_t n);
void dv_buf_grown(dv_buf *buf, size_t n);
/* INVALID, "TooLarge", when an addition did not fit. */
DV_MUST_USE dv_err *dv_buf_check(const dv_buf *buf);
/* Borrowed, never NULL. */
const char *dv_buf_cstr(const dv_buf *buf);
dv_str dv_buf_str(const dv_buf *buf);
/* Owned bytes, NUL-terminated, never NULL; the buffer is empty afterwards. */
char *dv_buf_take(dv_buf *buf);
