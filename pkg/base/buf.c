/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>

enum { FIRST_CAP = 64 };

void dv_buf_init(dv_buf *buf, size_t limit_bytes)
{
    *buf = (dv_buf){.limit = limit_bytes};
}

void dv_buf_done(dv_buf *buf)
{
    free(buf->p);
    *buf = (dv_buf){.limit = buf->limit};
}

void dv_buf_reset(dv_buf *buf)
{
    buf->overflow = false;
    dv_buf_cut(buf, 0);
}

/* Makes room for n more bytes and the NUL; false when the limit forbids it. */
static bool reserve(dv_buf *buf, size_t n)
{
    DV_ASSERT(buf->limit > 0);
    if (buf->overflow || n > buf->limit - buf->n) {
        buf->overflow = true;
        return false;
    }
    if (buf->n + n < buf->cap)
        return true;
    size_t cap = DV_MAX(buf->cap, (size_t)FIRST_CAP), needed = buf->n + n + 1;
    DV_ASSERT(buf->limit < SIZE_MAX / 2);
    while (cap < needed)
        cap *= 2;
    cap = DV_MIN(cap, buf->limit + 1);
    buf->p = dv_realloc(buf->p, cap);
    buf->cap = cap;
    return true;
}

void dv_buf_add(dv_buf *buf, const void *bytes, size_t n)
{
    if (!reserve(buf, n))
        return;
    if (n)
        memcpy(buf->p + buf->n, bytes, n);
    buf->n += n;
    buf->p[buf->n] = '\0';
}

void dv_buf_add_str(dv_buf *buf, dv_str s)
{
    dv_buf_add(buf, s.p, s.n);
}

void dv_buf_adds(dv_buf *buf, const char *text)
{
    dv_buf_add(buf, text, strlen(text));
}

void dv_buf_addc(dv_buf *buf, char c)
{
    dv_buf_add(buf, &c, 1);
}

void dv_buf_addf(dv_buf *buf, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    DV_ASSERT(n >= 0);
    if (reserve(buf, (size_t)n)) {
        vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

void dv_buf_fill(dv_buf *buf, char c, size_t count)
{
    if (!reserve(buf, count))
        return;
    memset(buf->p + buf->n, c, count);
    buf->n += count;
    buf->p[buf->n] = '\0';
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void dv_buf_add_uri(dv_buf *buf, dv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_unreserved(s.p[i]))
            dv_buf_addc(buf, s.p[i]);
        else
            dv_buf_addf(buf, "%%%02X", (unsigned char)s.p[i]);
    }
}

void dv_buf_cut(dv_buf *buf, size_t n)
{
    DV_ASSERT(n <= buf->n);
    buf->n = n;
    if (buf->p)
        buf->p[n] = '\0';
}

char *dv_buf_room(dv_buf *buf, size_t n)
{
    return reserve(buf, n) ? buf->p + buf->n : NULL;
}

void dv_buf_grown(dv_buf *buf, size_t n)
{
    DV_ASSERT(buf->n + n < buf->cap);
    buf->n += n;
    buf->p[buf->n] = '\0';
}

dv_err *dv_buf_check(const dv_buf *buf)
{
    if (!buf->overflow)
        return NULL;
    return dv_err_new(DV_INVALID, "TooLarge", "longer than the limit of %zu bytes", buf->limit);
}

const char *dv_buf_cstr(const dv_buf *buf)
{
    return buf->p ? buf->p : "";
}

dv_str dv_buf_str(const dv_buf *buf)
{
    return (dv_str){dv_buf_cstr(buf), buf->n};
}

char *dv_buf_take(dv_buf *buf)
{
    char *bytes = buf->p ? buf->p : dv_strndup("", 0);

    *buf = (dv_buf){.limit = buf->limit};
    return bytes;
}
